/** Heads and sources in words, for those who hear them. */
import type { Token } from "@/model/timeline";
import { cellText } from "@/model/tokens";
import { type Head, type Rows, largestAt } from "./heads";
import { type CellMeasure, KINDS, valueInWords } from "./kinds";

export const sourceName = (tokens: readonly Token[], source: number): string => {
  const token = tokens[source];
  return token === undefined ? `index ${source}` : `“${cellText(token)}”, index ${source}`;
};

/** `Block 9, head 2: 0.42, attention outside the first token; most from “·Spain”, index 7: 0.31`. */
export function headInWords(
  rows: Rows,
  tokens: readonly Token[],
  { block, head, value, measure }: Head & { readonly value: number; readonly measure: CellMeasure },
): string {
  const { kind } = rows;
  const sources = rows.values[rows.blocks.indexOf(block)]?.[head] ?? [];
  const first = largestAt(sources);
  const most =
    first === null
      ? ""
      : `; most from ${sourceName(tokens, first)}: ${valueInWords(kind, sources[first] ?? 0)}`;
  return `Block ${block}, head ${head}: ${valueInWords(kind, value)}, ${KINDS[kind].cells[measure]}${most}`;
}
