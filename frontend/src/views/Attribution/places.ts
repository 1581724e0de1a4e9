/** The rows of the view as places in the model. */
import type { EdgeSource } from "@/features/steering/Ablation";
import type { Place } from "@/model/place";
import type { Token } from "@/model/timeline";
import { cellText } from "@/model/tokens";
import { type PartRow, attnId, blockId, headId } from "./parts";

/** What the row is about; null for one that is in no block. */
export function placeOf({ block, head, source }: PartRow, index: number): Place | null {
  if (block === null) return null;
  if (head === null) return { kind: "block", index, block };
  return { kind: "head", index, block, head, second: source };
}

/** Rows that have to be open for the place to be seen. */
export function rowsAround(place: Place): string[] {
  if (place.kind !== "head") return [];
  const { block, head, second } = place;
  return [blockId(block), attnId(block), ...(second === null ? [] : [headId(block, head)])];
}

export function isAt({ kind, block, head, source }: PartRow, place: Place): boolean {
  if (place.kind === "block") return kind === "block" && block === place.block;
  return (
    place.kind === "head" &&
    kind !== "rest" &&
    block === place.block &&
    head === place.head &&
    source === place.second
  );
}

/** What a head reads of one token, and what it adds to the logit by that. */
export function edgeOf(
  tree: readonly PartRow[],
  tokens: readonly Token[],
  { block, head, second }: { readonly block: number; readonly head: number; readonly second: number | null },
): EdgeSource {
  const source = second ?? 0;
  const row = everyRow(tree).find(
    (each) => each.block === block && each.head === head && each.source === source,
  );
  const token = tokens[source];
  return {
    index: source,
    name: `${token === undefined ? "" : `“${cellText(token)}”, `}index ${source}`,
    direct: row?.contribution ?? null,
  };
}

const everyRow = (rows: readonly PartRow[]): PartRow[] =>
  rows.flatMap((row) => [row, ...everyRow(row.children ?? [])]);

/** What the parts of a block, and one of its heads, add directly; null where they are no rows. */
export function directParts(
  tree: readonly PartRow[],
  block: number,
  head: number | null,
): Readonly<Record<"block" | "attn" | "mlp" | "head", number | null>> {
  const own = everyRow(tree).filter((row) => row.block === block);
  const of = (kind: PartRow["kind"]): number | null =>
    own.find((row) => row.kind === kind)?.contribution ?? null;
  const ofHead = own.find((row) => row.kind === "head" && row.head === head)?.contribution ?? null;
  return { block: of("block"), attn: of("attn"), mlp: of("mlp"), head: ofHead };
}
