/** What one head, the heads of a block or all heads read, from the rows that the server sent. */
import { type Place, indexOf } from "@/model/place";
import type { AttentionResponse } from "@/types/schemas";
import { type CellMeasure, type Kind, KINDS } from "./kinds";

/** By token of the text, from index 0; those that have no number are 0. */
export type Rows = Omit<AttentionResponse, "kind"> & { readonly kind: Kind };

/** An answer as it is drawn: what reads a token has no numbers before that token. */
export function rowsOf(answer: AttentionResponse): Rows {
  if (answer.direction === "reads") return answer;
  const { position, sources, values } = answer;
  const before = Array.from({ length: position }, () => 0);
  return {
    ...answer,
    kind: "readBy",
    sources: Array.from({ length: position + sources.length }, (_, index) => index),
    values: values.map((heads) => heads.map((row) => [...before, ...row])),
  };
}

/** The first token that has numbers. */
export const firstOf = ({ kind, position }: Pick<Rows, "kind" | "position">): number =>
  kind === "readBy" ? position : 0;

/** Blocks are counted from 1, heads from 0. */
export interface Head {
  readonly block: number;
  readonly head: number;
}

/** Whose reading is shown. */
export type Scope =
  | { readonly kind: "all" }
  | { readonly kind: "block"; readonly block: number }
  | ({ readonly kind: "head" } & Head);

export const ALL_HEADS: Scope = { kind: "all" };

/** The selected head or block where these rows have it, else all heads. */
export function scopeOf(place: Place, rows: Rows): Scope {
  if (place.kind !== "head" && place.kind !== "block") return ALL_HEADS;
  const { block } = place;
  if (!rows.blocks.includes(block)) return ALL_HEADS;
  if (place.kind === "block") return { kind: "block", block };
  return place.head < rows.n_heads ? { kind: "head", block, head: place.head } : { kind: "block", block };
}

/** The place that is selected with a scope. */
export function placeOf(scope: Scope, place: Place): Place {
  const index = indexOf(place);
  if (index === null) return place;
  switch (scope.kind) {
    case "all":
      return { kind: "token", index };
    case "block":
      return { kind: "block", index, block: scope.block };
    case "head":
      return { kind: "head", index, block: scope.block, head: scope.head, second: null };
  }
}

export const isSameScope = (one: Scope, other: Scope): boolean => scopeName(one) === scopeName(other);

export function scopeName(scope: Scope): string {
  switch (scope.kind) {
    case "all":
      return "All heads";
    case "block":
      return `Block ${scope.block}, all heads`;
    case "head":
      return `Block ${scope.block}, head ${scope.head}`;
  }
}

/** The heads of a scope. */
export function headsIn({ blocks, n_heads }: Rows, scope: Scope): Head[] {
  if (scope.kind === "head") return [{ block: scope.block, head: scope.head }];
  const shown = scope.kind === "block" ? [scope.block] : blocks;
  return shown.flatMap((block) => Array.from({ length: n_heads }, (_, head) => ({ block, head })));
}

/** The rows of a head or of several: `[head][source]`. */
function rowsIn({ blocks, values }: Rows, scope: Scope): readonly (readonly number[])[] {
  if (scope.kind === "all") return values.flat();
  const block = values[blocks.indexOf(scope.block)] ?? [];
  if (scope.kind === "block") return block;
  const row = block[scope.head];
  return row === undefined ? [] : [row];
}

/** One number for each source `0 … position`: of a head its own, of several their mean, of contributions their sum. */
export function sourceValues(rows: Rows, scope: Scope): number[] {
  const found = rowsIn(rows, scope);
  const share = KINDS[rows.kind].together === "mean" ? found.length : 1;
  const sums = Array.from(rows.sources, () => 0);
  for (const row of found) row.forEach((value, source) => (sums[source] = (sums[source] ?? 0) + value));
  return found.length === 1 ? sums : sums.map((sum) => sum / share);
}

/** The weight that goes to no token, of a head or on average; null where the model has no such sink. */
export function learnedSink({ blocks, sink }: Rows, scope: Scope): number | null {
  if (sink === null) return null;
  const found =
    scope.kind === "all"
      ? sink.flat()
      : scope.kind === "block"
        ? (sink[blocks.indexOf(scope.block)] ?? [])
        : [sink[blocks.indexOf(scope.block)]?.[scope.head] ?? 0];
  return found.length === 0 ? null : found.reduce((sum, each) => sum + each, 0) / found.length;
}

/**
 * What the colour of a head stands for. A contribution is the sum over all sources; of weights and lengths the
 * first token is left out, unless it is the only one; of what reads a token, the token itself.
 */
export function headValue(
  { kind, values, position }: Rows,
  row: number,
  head: number,
  measure: CellMeasure,
): number {
  const sources = values[row]?.[head] ?? [];
  const leftOut = kind === "logit" ? null : kind === "readBy" ? position : 0;
  let [sum, most] = [0, 0];
  for (const [source, value] of sources.entries()) {
    if (source === leftOut) continue;
    sum += value;
    most = Math.max(most, value);
  }
  return measure === "largest" && kind !== "logit" ? most : sum;
}

/** The end of a scale that holds all of these values, by size; 0 where there is nothing. */
export const largest = (values: Iterable<number>): number => {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
};

/** The end of the scale of sources: without the first token, unless it is wanted or the only one. */
export const sourceScale = (values: readonly number[], withSink: boolean): number =>
  largest(withSink || values.length < 2 ? values : values.slice(1)) || 1;

/** Where the largest value is, by size; null where there is none. */
export function largestAt(values: readonly number[]): number | null {
  let found: number | null = null;
  for (const [at, value] of values.entries()) {
    if (found === null || Math.abs(value) > Math.abs(values[found] ?? 0)) found = at;
  }
  return found;
}

/** The sources from `first` on by what is read from them, most first. */
export const mostRead = (values: readonly number[], first = 0): number[] =>
  values
    .map((_, source) => source)
    .slice(first)
    .sort((a, b) => Math.abs(values[b] ?? 0) - Math.abs(values[a] ?? 0));

/** The head and the source that stand out: the largest value, the first token and the position itself left out. */
export function outstanding(rows: Rows): (Head & { readonly source: number; readonly value: number }) | null {
  let found: (Head & { readonly source: number; readonly value: number }) | null = null;
  for (const [row, block] of rows.blocks.entries()) {
    for (const [head, sources] of (rows.values[row] ?? []).entries()) {
      for (const [source, value] of sources.entries()) {
        if (source === 0 || source === rows.position || !(value > (found?.value ?? 0))) continue;
        found = { block, head, source, value };
      }
    }
  }
  return found;
}
