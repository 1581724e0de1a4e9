/**
 * Lens read-outs of a whole conversation, in typed arrays that grow with it. Kept outside React's
 * state: 13 layers of 1,024 tokens are 13,312 cells, and copying them at every chunk would be felt.
 *
 * Position `t` is where the residual stream was read; it predicts the token at `t + 1`.
 */
import { nextGap } from "@/base/gaps";
import type { Span } from "@/base/span";
import type { LayerReadout } from "@/model/timeline";
import type { components } from "@/types/api";
import { layerStep } from "@/model/layers";
import { lensRows } from "./lensRows";
import { ReadText } from "./readText";

type LensReadResponse = components["schemas"]["LensReadResponse"];

export interface CellPrediction {
  readonly tokenId: number;
  readonly text: string;
  readonly probability: number;
}

/** One layer at one position. */
export interface Cell {
  readonly position: number;
  readonly layer: number;
  readonly predictions: readonly CellPrediction[];
  readonly entropyNats: number;
  readonly klToFinalNats: number;
  /** Of the token that follows; null where none follows yet. */
  readonly nextProbability: number | null;
  readonly nextRank: number | null;
}

const MISSING = 0;
/** Read when no token followed yet: what concerns the next token is not known. */
const OPEN_END = 1;
const COMPLETE = 2;

/** Predictions kept per cell. */
export const CELL_PREDICTIONS = 5;

export class LensColumns {
  /** Layer 0 (embedding) to `n_layers`, with the half layers between them where these are read. Empty until the first read-out arrives. */
  layers: readonly number[] = [];
  /** Changes with every change of the contents. */
  version = 0;

  private readonly readText = new ReadText();
  private capacity = 0;
  private state = new Uint8Array(0);
  private topIds = new Int32Array(0);
  private topProbabilities = new Float32Array(0);
  private entropy = new Float32Array(0);
  private kl = new Float32Array(0);
  private nextProbabilities = new Float32Array(0);
  private nextRanks = new Int32Array(0);
  private readonly texts = new Map<number, string>();
  private readonly hasHalf: boolean;

  /** `hasHalf`: half layers are read as well. */
  constructor(hasHalf = false) {
    this.hasHalf = hasHalf;
  }

  /** The last layer, the model's own output; 0 until the first read-out arrives. */
  get last(): number {
    return this.layers.at(-1) ?? 0;
  }

  /** The layer just below; −1 where there is none. */
  below(layer: number): number {
    return this.layers[this.layers.indexOf(layer) - 1] ?? -1;
  }

  /** Drops what was read under other tokens, as those of a reply that failed and was generated again. */
  follow(tokens: readonly { readonly id: number }[]): void {
    const changed = this.readText.follow(tokens);
    if (changed === null) return;
    // The position before the first other token tells how probable that one was.
    this.state.fill(MISSING, Math.max(0, changed - 1));
    this.version += 1;
  }

  /** Takes the read-outs of a response that has every layer. */
  mergeResponse(response: LensReadResponse): void {
    this.shape(response.layers);
    for (const [id, text] of Object.entries(response.vocabulary)) this.texts.set(Number(id), text);
    response.positions.forEach((position, column) => {
      this.reserve(position + 1);
      let isComplete = true;
      for (const layer of this.layers.keys()) {
        const cell = position * this.nRows + layer;
        for (let k = 0; k < CELL_PREDICTIONS; k += 1) {
          this.topIds[cell * CELL_PREDICTIONS + k] = response.top_ids[layer]?.[column]?.[k] ?? -1;
          this.topProbabilities[cell * CELL_PREDICTIONS + k] =
            response.top_probabilities[layer]?.[column]?.[k] ?? Number.NaN;
        }
        this.entropy[cell] = response.entropy_nats[layer]?.[column] ?? Number.NaN;
        this.kl[cell] = response.kl_to_final_nats[layer]?.[column] ?? Number.NaN;
        const rank = response.next_rank[layer]?.[column] ?? null;
        this.nextProbabilities[cell] = response.next_probability[layer]?.[column] ?? Number.NaN;
        this.nextRanks[cell] = rank ?? 0;
        if (rank === null) isComplete = false;
      }
      this.state[position] = isComplete ? COMPLETE : OPEN_END;
    });
    this.version += 1;
  }

  /** Takes the read-outs that came with a token: how it was predicted, read at the position before it. */
  mergeTokenLens(tokenIndex: number, lens: readonly LayerReadout[]): void {
    const position = tokenIndex - 1;
    const shown = lensRows(lens, this.hasHalf);
    if (position < 0 || shown === null || this.state[position] === COMPLETE) return;
    this.shape(shown.map((readout) => readout.layer));
    this.reserve(position + 1);
    shown.forEach((readout, row) => {
      const cell = position * this.nRows + row;
      for (let k = 0; k < CELL_PREDICTIONS; k += 1) {
        const prediction = readout.predictions[k];
        this.topIds[cell * CELL_PREDICTIONS + k] = prediction?.token_id ?? -1;
        this.topProbabilities[cell * CELL_PREDICTIONS + k] = prediction?.probability ?? Number.NaN;
        if (prediction !== undefined) this.texts.set(prediction.token_id, prediction.text);
      }
      this.entropy[cell] = readout.entropy_nats;
      this.kl[cell] = readout.kl_to_final_nats;
      this.nextProbabilities[cell] = readout.actual.probability;
      this.nextRanks[cell] = readout.actual.rank;
    });
    this.state[position] = COMPLETE;
    this.version += 1;
  }

  /** Whether anything is known of a position. */
  isRead(position: number): boolean {
    return (this.state[position] ?? MISSING) !== MISSING;
  }

  private has(position: number, layer: number): boolean {
    return this.isRead(position) && this.rowOf(layer) !== null;
  }

  /** How many of the first `length` positions are read in full. */
  readCount(length: number): number {
    let count = 0;
    for (let position = 0; position < length; position += 1) if (!this.isWanted(position, length)) count += 1;
    return count;
  }

  /**
   * The next run of positions to ask for: the first gap in `visible`, else the newest gap, at most
   * `size` positions; null when the timeline of `length` tokens is complete.
   */
  nextGap(length: number, size: number, visible: Span | null): Span | null {
    return nextGap((position) => this.isWanted(position, length), length, size, visible);
  }

  /** Id of the most probable token; -1 where it is not known. */
  topId(position: number, layer: number): number {
    return this.has(position, layer) ? (this.topIds[this.at(position, layer) * CELL_PREDICTIONS] ?? -1) : -1;
  }

  topProbability(position: number, layer: number): number {
    return this.value(this.topProbabilities, position, layer, CELL_PREDICTIONS);
  }

  entropyNats(position: number, layer: number): number {
    return this.value(this.entropy, position, layer);
  }

  klToFinalNats(position: number, layer: number): number {
    return this.value(this.kl, position, layer);
  }

  /** NaN where no token follows yet. */
  nextProbability(position: number, layer: number): number {
    return this.value(this.nextProbabilities, position, layer);
  }

  /** NaN where no token follows yet. */
  nextRank(position: number, layer: number): number {
    const rank = this.value(this.nextRanks, position, layer);
    return rank === 0 ? Number.NaN : rank;
  }

  text(tokenId: number): string {
    return this.texts.get(tokenId) ?? "";
  }

  /** Everything known of a cell; null where it is not read. */
  cell(position: number, layer: number): Cell | null {
    if (!this.has(position, layer)) return null;
    const at = this.at(position, layer);
    const predictions: CellPrediction[] = [];
    for (let k = 0; k < CELL_PREDICTIONS; k += 1) {
      const tokenId = this.topIds[at * CELL_PREDICTIONS + k] ?? -1;
      if (tokenId < 0) break;
      const probability = this.topProbabilities[at * CELL_PREDICTIONS + k] ?? Number.NaN;
      predictions.push({ tokenId, text: this.text(tokenId), probability });
    }
    const rank = this.nextRanks[at] ?? 0;
    return {
      position,
      layer,
      predictions,
      entropyNats: this.entropy[at] ?? Number.NaN,
      klToFinalNats: this.kl[at] ?? Number.NaN,
      nextProbability: rank === 0 ? null : (this.nextProbabilities[at] ?? null),
      nextRank: rank === 0 ? null : rank,
    };
  }

  /** Throws for a layer that there is not: its cell would be one of the next position. */
  private at(position: number, layer: number): number {
    const row = this.rowOf(layer);
    if (row === null) throw new RangeError(`There is no layer ${layer}: the last is ${this.last}.`);
    return position * this.nRows + row;
  }

  private get nRows(): number {
    return this.layers.length;
  }

  private rowOf(layer: number): number | null {
    const row = layer / layerStep(this.hasHalf);
    return Number.isInteger(row) && row >= 0 && row < this.nRows ? row : null;
  }

  private value(array: Float32Array | Int32Array, position: number, layer: number, stride = 1): number {
    return this.has(position, layer) ? (array[this.at(position, layer) * stride] ?? Number.NaN) : Number.NaN;
  }

  /** A position whose read-outs are missing, or were made before the token after it existed. */
  private isWanted(position: number, length: number): boolean {
    const state = this.state[position] ?? MISSING;
    return position === length - 1 ? state === MISSING : state !== COMPLETE;
  }

  private shape(layers: readonly number[]): void {
    const last = layers.at(-1) ?? 0;
    if (last / layerStep(this.hasHalf) + 1 !== layers.length || (this.nRows > 0 && last !== this.last)) {
      throw new Error(`Read-outs of ${layers.length} layers do not fit a timeline read at ${this.nRows}.`);
    }
    this.layers = this.nRows > 0 ? this.layers : layers;
  }

  private reserve(length: number): void {
    if (length <= this.capacity) return;
    const capacity = Math.max(length, 2 * this.capacity, 128);
    const cells = capacity * this.nRows;
    const grown = <T extends Uint8Array | Int32Array | Float32Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.state = grown(new Uint8Array(capacity), this.state);
    this.topIds = grown(new Int32Array(cells * CELL_PREDICTIONS), this.topIds);
    this.topProbabilities = grown(new Float32Array(cells * CELL_PREDICTIONS), this.topProbabilities);
    this.entropy = grown(new Float32Array(cells), this.entropy);
    this.kl = grown(new Float32Array(cells), this.kl);
    this.nextProbabilities = grown(new Float32Array(cells), this.nextProbabilities);
    this.nextRanks = grown(new Int32Array(cells), this.nextRanks);
    this.capacity = capacity;
  }
}
