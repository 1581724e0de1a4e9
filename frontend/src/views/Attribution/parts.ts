/**
 * The parts of a logit as a tree in running order: embedding, blocks, biases; a block opens to attention
 * and MLP, attention to heads, a head to the words that it read, an MLP to its neurons. Children add up
 * to their parent, so a bar begins where the one before it ended.
 */
import type { AttributionPart, AttributionResponse } from "@/types/schemas";

export type RowKind = AttributionPart["part"] | "block";

/** What has to be asked for before a row can open. */
export type Opening =
  | { readonly unit: "source"; readonly block: number; readonly head: number | null }
  | { readonly unit: "neuron"; readonly block: number };

export interface PartRow {
  /** Names the row in the address: `10`, `10a`, `10h2`, `10m`. */
  readonly id: string;
  readonly kind: RowKind;
  readonly block: number | null;
  readonly head: number | null;
  /** Index in the timeline of the word that was read. */
  readonly source: number | null;
  readonly neuron: number | null;
  /** Of a `rest`: how many words; null where that is not known. */
  readonly count: number | null;
  /** Added to the logit of the target, and of the foil. */
  readonly target: number;
  readonly foil: number | null;
  readonly contribution: number;
  /** From 1. */
  readonly level: number;
  /** Where the bar begins, in logits; it ends `contribution` further on. */
  readonly start: number;
  /** Null where they are not read yet. */
  readonly children: readonly PartRow[] | null;
  readonly opening: Opening | null;
}

export const blockId = (block: number): string => `${block}`;
export const attnId = (block: number): string => `${block}a`;
export const headId = (block: number, head: number): string => `${block}h${head}`;

export const canOpen = ({ children, opening }: PartRow): boolean =>
  opening !== null || (children !== null && children.length > 0);

/** What of the model can be opened further. */
export interface Openable {
  readonly sources: boolean;
  readonly neurons: boolean;
}

type Amounts = Pick<AttributionPart, "target" | "foil" | "contribution">;

const ZERO: Amounts = { target: 0, foil: null, contribution: 0 };

const sumOf = (parts: readonly Amounts[]): Amounts =>
  parts.reduce(
    (sum, { target, foil, contribution }) => ({
      target: sum.target + target,
      foil: foil === null ? sum.foil : (sum.foil ?? 0) + foil,
      contribution: sum.contribution + contribution,
    }),
    ZERO,
  );

const SUFFIXES: Partial<Record<RowKind, string>> = { attn: "a", mlp: "m", mixer: "x", bias: "b" };

interface MadeOf {
  readonly id: string;
  readonly kind: RowKind;
  readonly level: number;
  readonly start: number;
  readonly amounts: Amounts;
}

const row = ({ id, kind, level, start, amounts }: MadeOf, more: Partial<PartRow> = {}): PartRow => ({
  id,
  kind,
  level,
  start,
  block: null,
  head: null,
  source: null,
  neuron: null,
  count: null,
  target: amounts.target,
  foil: amounts.foil,
  contribution: amounts.contribution,
  children: null,
  opening: null,
  ...more,
});

/** Rows one after another, each beginning where the one before it ended. */
function inTurn<T extends Amounts>(
  parts: readonly T[],
  from: number,
  make: (part: T, start: number) => PartRow,
): PartRow[] {
  let start = from;
  return parts.map((part) => {
    const made = make(part, start);
    start += part.contribution;
    return made;
  });
}

/**
 * The rows of the first level, with everything below them that is known. `details` are the answers to
 * openings, by the id of their row; of words and neurons the `nShown` largest have rows of their own.
 */
export function partTree(
  { parts }: Pick<AttributionResponse, "parts">,
  details: ReadonlyMap<string, AttributionResponse>,
  openable: Openable,
  nShown: number,
): PartRow[] {
  const groups: { readonly block: number | null; readonly parts: AttributionPart[] }[] = [];
  for (const part of parts) {
    const last = groups.at(-1);
    if (part.block !== null && last?.block === part.block) last.parts.push(part);
    else groups.push({ block: part.block, parts: [part] });
  }
  const all = groups.map((group) => ({ ...group, ...sumOf(group.parts) }));
  return inTurn(all, 0, ({ block, parts: own, ...amounts }, start) => {
    if (block === null) {
      const kind = own[0]?.part ?? "rest";
      return row({ id: kind, kind, level: 1, start, amounts });
    }
    return row(
      { id: blockId(block), kind: "block", level: 1, start, amounts },
      { block, children: withinBlock(block, own, start, { details, openable, nShown }) },
    );
  });
}

interface Detail {
  readonly details: ReadonlyMap<string, AttributionResponse>;
  readonly openable: Openable;
  readonly nShown: number;
}

function withinBlock(
  block: number,
  parts: readonly AttributionPart[],
  from: number,
  detail: Detail,
): PartRow[] {
  const heads = parts.filter(({ part }) => part === "head");
  const writes: {
    readonly kind: RowKind;
    readonly target: number;
    readonly foil: number | null;
    readonly contribution: number;
  }[] = [];
  for (const { part, ...amounts } of parts) {
    if (part !== "head") writes.push({ kind: part, ...amounts });
    else if (!writes.some(({ kind }) => kind === "attn")) writes.push({ kind: "attn", ...sumOf(heads) });
  }
  return inTurn(writes, from, ({ kind, ...amounts }, start) => {
    const id = `${block}${SUFFIXES[kind] ?? "r"}`;
    const made = row({ id, kind, level: 2, start, amounts }, { block });
    if (kind === "attn" && heads.length > 0) {
      return { ...made, children: inTurn(heads, start, (head, at) => headRow(block, head, at, detail)) };
    }
    if (kind === "attn" && detail.openable.sources) {
      return opened(made, { unit: "source", block, head: null }, detail);
    }
    if (kind === "mlp" && detail.openable.neurons) return opened(made, { unit: "neuron", block }, detail);
    return made;
  });
}

function headRow(block: number, part: AttributionPart, start: number, detail: Detail): PartRow {
  const { head } = part;
  const made = row(
    { id: headId(block, head ?? 0), kind: "head", level: 3, start, amounts: part },
    { block, head },
  );
  return detail.openable.sources ? opened(made, { unit: "source", block, head }, detail) : made;
}

/** The row with what was read of it: the largest parts first, the others as one. */
function opened(parent: PartRow, opening: Opening, { details, nShown }: Detail): PartRow {
  const answer = details.get(parent.id);
  if (answer === undefined) return { ...parent, opening };
  const own = answer.parts.filter(({ part }) => part === opening.unit);
  const bySize = own.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const shown = bySize.slice(0, nShown);
  const left = own.length - shown.length;
  const rest = {
    target: parent.target - sumOf(shown).target,
    foil: parent.foil === null ? null : parent.foil - (sumOf(shown).foil ?? 0),
    contribution: parent.contribution - sumOf(shown).contribution,
  };
  const { block } = opening;
  const children = inTurn(shown, parent.start, (part, start) =>
    row(
      {
        id: `${parent.id}${opening.unit === "source" ? "s" : "n"}${part.source ?? part.neuron ?? 0}`,
        kind: part.part,
        level: parent.level + 1,
        start,
        amounts: part,
      },
      { block, head: part.head, source: part.source, neuron: part.neuron },
    ),
  );
  const hasRest = left > 0 || opening.unit === "neuron";
  return {
    ...parent,
    opening,
    children: hasRest
      ? [
          ...children,
          row(
            {
              id: `${parent.id}r`,
              kind: "rest",
              level: parent.level + 1,
              start: parent.start + sumOf(shown).contribution,
              amounts: rest,
            },
            { block, head: parent.head, count: opening.unit === "source" ? left : null },
          ),
        ]
      : children,
  };
}

/** The rows that are seen: the first level, and what is below each that is open. */
export const visibleRows = (rows: readonly PartRow[], open: ReadonlySet<string>): PartRow[] =>
  rows.flatMap((each) => [each, ...(open.has(each.id) ? visibleRows(each.children ?? [], open) : [])]);

/** From the lowest to the highest end of a bar, with zero and the sum. */
export function rangeOf(rows: readonly PartRow[]): { readonly low: number; readonly high: number } {
  const ends = rows.flatMap(({ start, contribution }) => [start, start + contribution]);
  return { low: Math.min(0, ...ends), high: Math.max(0, ...ends) };
}
