/**
 * How each cell of the heatmap looks, worked out once for whatever draws it: the grid, cell by cell,
 * and the overview, pixel by pixel. 49,152 cells take a few milliseconds.
 */
import { type Scale, rampStep } from "@/charts/colour/colour";

/** Ranks by position and layer; 0 where none is read. */
export interface CellRanks {
  readonly rank: (position: number, layer: number) => number;
}

/** What the cells of a grid hold, whatever it is about. */
export interface CellSource {
  readonly nPositions: number;
  readonly isRead: (position: number) => boolean;
  /** NaN where the cell has none. */
  readonly value: (position: number, layer: number) => number;
  /** Names the text in the cell; -1 where there is none. */
  readonly textId: (position: number, layer: number) => number;
  /** It takes the second hue. */
  readonly isAnswer: (position: number, layer: number) => boolean;
  /** It has the mark in its upper corner. */
  readonly isMarked: (position: number, layer: number) => boolean;
}

const READ = 1;
const VALUED = 2;
const ANSWERED = 4;
const CLIPPED = 8;
const MARKED = 16;

export interface LooksRequest {
  readonly cells: CellSource;
  /** Those that have a row, the embedding first. */
  readonly layers: readonly number[];
  readonly scale: Scale;
}

export class CellLooks {
  readonly nPositions: number;
  readonly nRows: number;
  /** Cells whose value lies beyond an end of the scale. */
  readonly nClipped: number;
  private readonly steps: Uint8Array;
  private readonly flags: Uint8Array;

  constructor({ cells, layers, scale }: LooksRequest) {
    const { nPositions } = cells;
    this.nPositions = nPositions;
    this.nRows = layers.length;
    this.steps = new Uint8Array(nPositions * this.nRows);
    this.flags = new Uint8Array(nPositions * this.nRows);
    const low = Math.min(scale.dark, scale.bright);
    const high = Math.max(scale.dark, scale.bright);
    // The numbers are kept as float32, the ends of the scale are not.
    const slack = 1e-6 * Math.max(Math.abs(low), Math.abs(high));
    let nClipped = 0;
    for (let position = 0; position < nPositions; position += 1) {
      if (!cells.isRead(position)) continue;
      for (let row = 0; row < this.nRows; row += 1) {
        const layer = layers[this.nRows - 1 - row] ?? 0;
        const at = position * this.nRows + row;
        const value = cells.value(position, layer);
        let flags = READ;
        if (!Number.isNaN(value)) {
          flags |= VALUED;
          this.steps[at] = rampStep(scale, value);
          if (value < low - slack || value > high + slack) {
            flags |= CLIPPED;
            nClipped += 1;
          }
        }
        if (cells.isAnswer(position, layer)) flags |= ANSWERED;
        if (cells.isMarked(position, layer)) flags |= MARKED;
        this.flags[at] = flags;
      }
    }
    this.nClipped = nClipped;
  }

  /** Index into a ramp. */
  step(position: number, row: number): number {
    return this.steps[position * this.nRows + row] ?? 0;
  }

  isRead(position: number): boolean {
    return this.has(position, 0, READ);
  }

  hasValue(position: number, row: number): boolean {
    return this.has(position, row, VALUED);
  }

  /** It takes the second hue. */
  isAnswer(position: number, row: number): boolean {
    return this.has(position, row, ANSWERED);
  }

  /** It has the mark in its upper corner. */
  isMarked(position: number, row: number): boolean {
    return this.has(position, row, MARKED);
  }

  isClipped(position: number, row: number): boolean {
    return this.has(position, row, CLIPPED);
  }

  private has(position: number, row: number, flag: number): boolean {
    return ((this.flags[position * this.nRows + row] ?? 0) & flag) !== 0;
  }
}

/** Which cells an outline goes around: those at which the token is among the first `most`. */
export class OutlinedCells {
  /** Cells inside, of those that were read. */
  readonly nInside: number;
  readonly nRead: number;
  private readonly nRows: number;
  private readonly inside: Uint8Array;

  constructor(ranks: CellRanks, nPositions: number, layers: readonly number[], most: number) {
    this.nRows = layers.length;
    this.inside = new Uint8Array(nPositions * this.nRows);
    let [nInside, nRead] = [0, 0];
    for (let position = 0; position < nPositions; position += 1) {
      for (let row = 0; row < this.nRows; row += 1) {
        const rank = ranks.rank(position, layers[this.nRows - 1 - row] ?? 0);
        if (rank > 0) nRead += 1;
        if (rank > 0 && rank <= most) {
          nInside += 1;
          this.inside[position * this.nRows + row] = 1;
        }
      }
    }
    this.nInside = nInside;
    this.nRead = nRead;
  }

  /** False outside of the grid, so that the outline closes at its edges. */
  has(position: number, row: number): boolean {
    return row >= 0 && row < this.nRows && this.inside[position * this.nRows + row] === 1;
  }
}
