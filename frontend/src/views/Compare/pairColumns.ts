/**
 * What was compared: pairs of places, one of each timeline, at rows of layer pairs. Kept by pair and
 * not by column, so that an alignment that changes asks for nothing that is known. Typed arrays, for
 * 1,024 pairs at 49 rows are 50,176 cells.
 *
 * A place is where the residual stream was read; position `t` predicts the token at `t + 1`.
 */
import { ReadText } from "@/reading/readText";
import type { components } from "@/types/api";
import type { AlignedColumn, Alignment } from "@/features/pair/alignment";

type Schemas = components["schemas"];

/** An answer of the server. The client's types know lists of two as lists. */
export type CompareResponse = Omit<Schemas["CompareResponse"], "layers" | "labels" | "positions"> & {
  readonly layers: readonly (readonly number[])[];
  readonly labels: readonly (readonly string[])[];
  readonly positions: readonly (readonly number[])[];
};

export interface Pair {
  readonly a: number;
  readonly b: number;
}

/** Both first choices at a row, with their probabilities. */
export interface FirstChoices {
  readonly aId: number;
  readonly aProbability: number;
  readonly bId: number;
  readonly bProbability: number;
}

/** A pair for a column that has one; null for a gap. */
export const pairOf = ({ a, b }: AlignedColumn): Pair | null => (a === null || b === null ? null : { a, b });

/** More than any position. */
const KEY_STEP = 2 ** 24;

/** Where the numbers of each pair are kept. */
abstract class PairSlots {
  /** Changes with every change of the contents. */
  version = 0;
  protected nRows = 0;
  private readonly slots = new Map<number, number>();
  private readonly readA = new ReadText();
  private readonly readB = new ReadText();

  /** Forgets everything where one of the timelines has other tokens than it was read under. */
  follow(a: readonly { readonly id: number }[], b: readonly { readonly id: number }[]): void {
    const changes = [this.readA.follow(a), this.readB.follow(b)];
    if (changes.every((changed) => changed === null)) return;
    this.slots.clear();
    this.version += 1;
  }

  /** Takes an answer, its pairs in the order in which they were asked for. */
  protected place(response: CompareResponse): number[] {
    const nRows = response.layers.length;
    if (this.nRows !== 0 && this.nRows !== nRows) {
      throw new Error(`An answer of ${nRows} rows does not fit what was read at ${this.nRows}.`);
    }
    this.nRows = nRows;
    const slots = response.positions.map(([a = Number.NaN, b = Number.NaN]) => {
      const key = a * KEY_STEP + b;
      const slot = this.slots.get(key) ?? this.slots.size;
      this.slots.set(key, slot);
      return slot;
    });
    this.version += 1;
    return slots;
  }

  protected get nCells(): number {
    return this.slots.size * this.nRows;
  }

  /** Index into the arrays; -1 where it is not read. */
  protected at(pair: Pair, row: number): number {
    const slot = this.slots.get(pair.a * KEY_STEP + pair.b);
    return slot === undefined || row < 0 || row >= this.nRows ? -1 : slot * this.nRows + row;
  }

  isRead(pair: Pair): boolean {
    return this.slots.has(pair.a * KEY_STEP + pair.b);
  }

  /** How many pairs of the alignment are read. */
  readCount({ columns }: Alignment): number {
    let count = 0;
    for (const column of columns) {
      const pair = pairOf(column);
      if (pair !== null && this.isRead(pair)) count += 1;
    }
    return count;
  }
}

type Numbers = Float32Array | Int32Array;

function grown<T extends Numbers>(make: (length: number) => T, from: T, length: number): T {
  if (length <= from.length) return from;
  const to = make(Math.max(length, 2 * from.length));
  to.set(from);
  return to;
}

const floats = (from: Float32Array, length: number): Float32Array =>
  grown((n) => new Float32Array(n), from, length);
const integers = (from: Int32Array, length: number): Int32Array =>
  grown((n) => new Int32Array(n), from, length);

/** Divergences and first choices. */
export class PairColumns extends PairSlots {
  private klAToB: Float32Array = new Float32Array(0);
  private klBToA: Float32Array = new Float32Array(0);
  private js: Float32Array = new Float32Array(0);
  private aTopIds: Int32Array = new Int32Array(0);
  private bTopIds: Int32Array = new Int32Array(0);
  private aTopProbabilities: Float32Array = new Float32Array(0);
  private bTopProbabilities: Float32Array = new Float32Array(0);
  private readonly texts = new Map<number, string>();

  mergeResponse(response: CompareResponse): void {
    const slots = this.place(response);
    for (const [id, text] of Object.entries(response.vocabulary)) this.texts.set(Number(id), text);
    this.klAToB = floats(this.klAToB, this.nCells);
    this.klBToA = floats(this.klBToA, this.nCells);
    this.js = floats(this.js, this.nCells);
    this.aTopIds = integers(this.aTopIds, this.nCells);
    this.bTopIds = integers(this.bTopIds, this.nCells);
    this.aTopProbabilities = floats(this.aTopProbabilities, this.nCells);
    this.bTopProbabilities = floats(this.bTopProbabilities, this.nCells);
    slots.forEach((slot, i) => {
      for (let row = 0; row < this.nRows; row += 1) {
        const at = slot * this.nRows + row;
        this.klAToB[at] = response.kl_a_to_b_nats[row]?.[i] ?? Number.NaN;
        this.klBToA[at] = response.kl_b_to_a_nats[row]?.[i] ?? Number.NaN;
        this.js[at] = response.js_nats[row]?.[i] ?? Number.NaN;
        this.aTopIds[at] = response.a_top_id[row]?.[i] ?? -1;
        this.bTopIds[at] = response.b_top_id[row]?.[i] ?? -1;
        this.aTopProbabilities[at] = response.a_top_probability[row]?.[i] ?? Number.NaN;
        this.bTopProbabilities[at] = response.b_top_probability[row]?.[i] ?? Number.NaN;
      }
    });
  }

  /** NaN where it is not read, as of all three divergences; in nats. */
  klAToBNats(pair: Pair, row: number): number {
    return this.klAToB[this.at(pair, row)] ?? Number.NaN;
  }

  klBToANats(pair: Pair, row: number): number {
    return this.klBToA[this.at(pair, row)] ?? Number.NaN;
  }

  jsNats(pair: Pair, row: number): number {
    return this.js[this.at(pair, row)] ?? Number.NaN;
  }

  /** Null where it is not read. */
  firstChoices(pair: Pair, row: number): FirstChoices | null {
    const at = this.at(pair, row);
    if (at < 0) return null;
    return {
      aId: this.aTopIds[at] ?? -1,
      aProbability: this.aTopProbabilities[at] ?? Number.NaN,
      bId: this.bTopIds[at] ?? -1,
      bProbability: this.bTopProbabilities[at] ?? Number.NaN,
    };
  }

  text(tokenId: number): string {
    return this.texts.get(tokenId) ?? "";
  }
}

/** One token on both sides of a pair. */
export interface TargetPlace {
  readonly aProbability: number;
  readonly aRank: number;
  readonly bProbability: number;
  readonly bRank: number;
}

/** Probability and rank of one token on both sides. */
export class TargetColumns extends PairSlots {
  readonly tokenId: number;
  /** Text of the token; null until the first answer. */
  text: string | null = null;
  private aProbabilities: Float32Array = new Float32Array(0);
  private bProbabilities: Float32Array = new Float32Array(0);
  private aRanks: Int32Array = new Int32Array(0);
  private bRanks: Int32Array = new Int32Array(0);

  constructor(tokenId: number) {
    super();
    this.tokenId = tokenId;
  }

  /** Takes the answer's column of this token. Throws where the answer has none. */
  mergeResponse(response: CompareResponse): void {
    const target = response.targets.find((each) => each.token_id === this.tokenId);
    if (target === undefined) throw new Error(`The answer lacks the token ${this.tokenId}.`);
    const slots = this.place(response);
    this.text = target.text;
    this.aProbabilities = floats(this.aProbabilities, this.nCells);
    this.bProbabilities = floats(this.bProbabilities, this.nCells);
    this.aRanks = integers(this.aRanks, this.nCells);
    this.bRanks = integers(this.bRanks, this.nCells);
    slots.forEach((slot, i) => {
      for (let row = 0; row < this.nRows; row += 1) {
        const at = slot * this.nRows + row;
        this.aProbabilities[at] = target.a_probability[row]?.[i] ?? Number.NaN;
        this.bProbabilities[at] = target.b_probability[row]?.[i] ?? Number.NaN;
        this.aRanks[at] = target.a_rank[row]?.[i] ?? 0;
        this.bRanks[at] = target.b_rank[row]?.[i] ?? 0;
      }
    });
  }

  /** Null where it is not read. */
  target(pair: Pair, row: number): TargetPlace | null {
    const at = this.at(pair, row);
    if (at < 0) return null;
    return {
      aProbability: this.aProbabilities[at] ?? Number.NaN,
      aRank: this.aRanks[at] ?? 0,
      bProbability: this.bProbabilities[at] ?? Number.NaN,
      bRank: this.bRanks[at] ?? 0,
    };
  }
}
