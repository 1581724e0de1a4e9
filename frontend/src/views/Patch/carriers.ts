/** What a finished map says: which position carries most of the answer, layer by layer. */
import type { GridPlace, MapRow } from "./grid";

export interface Carrier {
  readonly pair: number;
  /** Layers in order at which it carries more than half, and more than any other position. */
  readonly layers: readonly number[];
  /** Of these the cell with the highest score. */
  readonly best: GridPlace;
  readonly score: number;
}

const HALF = 0.5;

/** The positions in the order of the layers, the embedding first; a position that carries it twice is named twice. */
export function carriersOf(rows: readonly MapRow[]): Carrier[] {
  const carriers: Carrier[] = [];
  let isGap = true;
  for (const { layer, scores } of rows.toReversed()) {
    const score = Math.max(...scores.map((each) => each ?? Number.NEGATIVE_INFINITY));
    if (score <= HALF) {
      isGap = true;
      continue;
    }
    const pair = scores.indexOf(score);
    const last = carriers.at(-1);
    const own = { layer, pair };
    if (last === undefined || isGap || last.pair !== pair)
      carriers.push({ pair, layers: [layer], best: own, score });
    else {
      carriers[carriers.length - 1] = {
        pair,
        layers: [...last.layers, layer],
        ...(score > last.score ? { best: own, score } : { best: last.best, score: last.score }),
      };
    }
    isGap = false;
  }
  return carriers;
}
