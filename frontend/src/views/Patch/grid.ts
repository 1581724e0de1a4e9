/** The grid of layers by aligned positions: its cells and its keys. */
import type { JobInfo } from "@/types/schemas";
import type { Cell, PatchDirection } from "./choices";
import type { PatchTexts } from "./texts";

/** Of the colours of scores; what is beyond has the colour of the end. */
export const SCORE_SCALE = { kind: "linear", dark: -1, bright: 1 } as const;

/** What the two ends of a score are. */
export const scoreUnit = (direction: PatchDirection): string =>
  direction === "denoise" ? "score: 0 is B alone, 1 is A alone" : "score: 0 is A alone, 1 is B alone";

/** The pair with which A and B begin to differ, or stand at other positions. Nothing is carried before it. */
export function firstDifference({ pairs, a, b }: Pick<PatchTexts, "pairs" | "a" | "b">): number {
  const first = pairs.findIndex(([ofA, ofB]) => ofA !== ofB || a.tokens[ofA]?.id !== b.tokens[ofB]?.id);
  return Math.max(0, first);
}

export interface MapRow {
  readonly layer: number;
  /** By pair of positions; null is not computed yet. */
  readonly scores: readonly (number | null)[];
}

/** A cell of the grid: a layer, and the index of a pair of positions. */
export interface GridPlace {
  readonly layer: number;
  readonly pair: number;
}

/** The output at the top, as in every view. Without a map every cell is open. */
export function mapRows(job: JobInfo | null, nLayers: number, nPairs: number): MapRow[] {
  const layers = Array.from({ length: nLayers + 1 }, (_, layer) => layer);
  return layers.reverse().map((layer) => {
    const row = job?.result.layers.indexOf(layer) ?? -1;
    const scores = job?.result.scores[row] ?? Array.from({ length: nPairs }, () => null);
    return { layer, scores };
  });
}

/** Whether a patch at `from` can change anything at `to`: later blocks, at its position and after it. */
export const isInCone = (from: GridPlace, to: GridPlace): boolean =>
  (to.layer > from.layer && to.pair >= from.pair) || (to.layer === from.layer && to.pair === from.pair);

export const placeOfCell = (
  cell: Cell | null,
  pairs: readonly (readonly [number, number])[],
): GridPlace | null => {
  if (cell === null) return null;
  const pair = pairs.findIndex(([, b]) => b === cell.b);
  return pair < 0 ? null : { layer: cell.layer, pair };
};

const PAGE = 5;

/** The place that a key leads to; null for keys that do not move. */
export function placeAfterKey(
  key: string,
  { layer, pair }: GridPlace,
  nLayers: number,
  nPairs: number,
): GridPlace | null {
  const at = (nextLayer: number, nextPair: number): GridPlace => ({
    layer: Math.min(nLayers, Math.max(0, nextLayer)),
    pair: Math.min(nPairs - 1, Math.max(0, nextPair)),
  });
  switch (key) {
    case "ArrowUp":
      return at(layer + 1, pair);
    case "ArrowDown":
      return at(layer - 1, pair);
    case "ArrowLeft":
      return at(layer, pair - 1);
    case "ArrowRight":
      return at(layer, pair + 1);
    case "PageUp":
      return at(layer + PAGE, pair);
    case "PageDown":
      return at(layer - PAGE, pair);
    case "Home":
      return at(layer, 0);
    case "End":
      return at(layer, nPairs - 1);
    default:
      return null;
  }
}
