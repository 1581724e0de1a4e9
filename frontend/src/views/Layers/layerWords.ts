/**
 * A conversation as one layer has it: in the place of each token stands the layer's first choice for
 * it, read at the token before. Each is predicted after the real tokens before it, not after the
 * layer's own words.
 */
import { formatCount } from "@/model/format";
import { layerName } from "@/model/layers";
import type { LensColumns } from "@/reading/columns";

/**
 * - `first`: the first token of the timeline, which nothing predicted
 * - `unread`: not read yet
 * - `actual`: the layer's first choice is the token that stands there
 * - `output`: it is the first choice of the last layer, but another token stands there
 * - `other`: neither
 */
export type WordKind = "first" | "unread" | "actual" | "output" | "other";

export interface LayerWord {
  readonly index: number;
  readonly kind: WordKind;
  /** Of the layer's top-1; the token's own for `first`, -1 for `unread`. */
  readonly tokenId: number;
  /** Of the layer's top-1; NaN where there is none. */
  readonly probability: number;
  /** The layer below has another top-1. Never at layer 0 (embedding). */
  readonly hasChanged: boolean;
}

interface Identified {
  readonly id: number;
}

export function layerWord(
  columns: LensColumns,
  tokens: readonly Identified[],
  index: number,
  layer: number,
): LayerWord {
  const actual = tokens[index]?.id ?? -1;
  const none = { index, probability: Number.NaN, hasChanged: false } as const;
  if (index === 0) return { ...none, kind: "first", tokenId: actual };
  const position = index - 1;
  const tokenId = columns.topId(position, layer);
  if (tokenId < 0) return { ...none, kind: "unread", tokenId };
  const isOutput = tokenId === columns.topId(position, columns.last);
  return {
    index,
    kind: tokenId === actual ? "actual" : isOutput ? "output" : "other",
    tokenId,
    probability: columns.topProbability(position, layer),
    hasChanged: layer > 0 && tokenId !== columns.topId(position, columns.below(layer)),
  };
}

export interface WordCounts {
  /** Words that have or will have a prediction: all but the first token of the timeline. */
  readonly nPredicted: number;
  readonly nRead: number;
  readonly nActual: number;
  readonly nOutput: number;
  readonly nOther: number;
  readonly nChanged: number;
}

export function countWords(words: readonly LayerWord[]): WordCounts {
  const kinds = { first: 0, unread: 0, actual: 0, output: 0, other: 0 };
  let nChanged = 0;
  for (const word of words) {
    kinds[word.kind] += 1;
    if (word.hasChanged) nChanged += 1;
  }
  const nPredicted = words.length - kinds.first;
  return {
    nPredicted,
    nRead: nPredicted - kinds.unread,
    nActual: kinds.actual,
    nOutput: kinds.output,
    nOther: kinds.other,
    nChanged,
  };
}

export interface Agreement {
  /** Of the tokens asked for, those that are read. */
  readonly nRead: number;
  /** How many of them are the first choice, by layer. */
  readonly nActual: ReadonlyMap<number, number>;
}

/** At how many of these tokens each layer's first choice is the token that stands there. */
export function agreementOf(
  columns: LensColumns,
  tokens: readonly Identified[],
  indices: readonly number[],
): Agreement {
  const nActual = new Map<number, number>(columns.layers.map((layer) => [layer, 0]));
  let nRead = 0;
  for (const index of indices) {
    if (index === 0 || !columns.isRead(index - 1)) continue;
    nRead += 1;
    const actual = tokens[index]?.id;
    for (const layer of columns.layers) {
      if (columns.topId(index - 1, layer) === actual) nActual.set(layer, (nActual.get(layer) ?? 0) + 1);
    }
  }
  return { nRead, nActual };
}

/** `top-1 matches the actual token at 12 of 34 positions` */
export function agreementText(nActual: number, nRead: number, nPredicted = nRead): string {
  const read =
    nRead < nPredicted
      ? `the ${formatCount(nRead)} ${nRead === 1 ? "position" : "positions"} read so far`
      : `${formatCount(nRead)} ${nRead === 1 ? "position" : "positions"}`;
  return `top-1 matches the actual token at ${formatCount(nActual)} of ${read}`;
}

/** How far a layer agrees with the text shown, and how much it changed, as a sentence. */
export function layerSentence(counts: WordCounts, layer: number, last: number, step = 1): string {
  const { nPredicted, nRead, nActual, nChanged } = counts;
  const place = `At ${layerName(layer)}${layer === last ? ", the model’s own output" : ""}`;
  if (nPredicted === 0) return `${place}, no token here is predicted.`;
  if (nRead === 0) return `${place}, no position is read yet.`;
  const changed =
    layer === 0
      ? ""
      : `; ${nChanged === 0 ? "none" : formatCount(nChanged)} changed since ${layerName(layer - step)}`;
  return `${place}, ${agreementText(nActual, nRead, nPredicted)}${changed}.`;
}
