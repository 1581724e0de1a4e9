/**
 * Rank and probability of one token at every layer and position of a conversation, as the server gave
 * them. In typed arrays that grow, like the read-outs beside them.
 */
import { nextGap } from "@/base/gaps";
import type { Span } from "@/base/span";
import { layerStep } from "@/model/layers";
import type { components } from "@/types/api";
import { ReadText } from "./readText";

type LensReadResponse = components["schemas"]["LensReadResponse"];

export interface TokenPlace {
  /** 1 is the layer's first choice. */
  readonly rank: number;
  readonly probability: number;
}

export class RankColumns {
  readonly tokenId: number;
  /** Text of the token; null until the first answer. */
  text: string | null = null;
  /** Changes with every change of the contents. */
  version = 0;

  private nRows = 0;
  private readonly hasHalf: boolean;
  private readonly readText = new ReadText();
  private readonly read = new Set<number>();
  /** 0 where nothing is read. */
  private ranks = new Int32Array(0);
  private probabilities = new Float32Array(0);

  /** `hasHalf`: half layers are read as well. */
  constructor(tokenId: number, hasHalf = false) {
    this.tokenId = tokenId;
    this.hasHalf = hasHalf;
  }

  /** Drops what was read under other tokens. */
  follow(tokens: readonly { readonly id: number }[]): void {
    const changed = this.readText.follow(tokens);
    if (changed === null) return;
    for (const position of this.read) if (position >= changed) this.read.delete(position);
    this.version += 1;
  }

  /** Takes the answer's column of this token. Throws where the answer has none. */
  mergeResponse(response: LensReadResponse): void {
    const target = response.targets.find((each) => each.token_id === this.tokenId);
    if (target?.rank.length !== response.labels.length) {
      throw new Error(`The answer has no ranks of the token ${this.tokenId}.`);
    }
    this.nRows = response.labels.length;
    this.text = target.text;
    this.reserve((response.positions.at(-1) ?? -1) + 1);
    response.positions.forEach((position, column) => {
      this.read.add(position);
      for (let layer = 0; layer < this.nRows; layer += 1) {
        const at = position * this.nRows + layer;
        this.ranks[at] = target.rank[layer]?.[column] ?? 0;
        this.probabilities[at] = target.probability[layer]?.[column] ?? Number.NaN;
      }
    });
    this.version += 1;
  }

  nextGap(length: number, size: number, visible: Span | null): Span | null {
    return nextGap((position) => !this.isRead(position), length, size, visible);
  }

  isRead(position: number): boolean {
    return this.read.has(position);
  }

  /** How many of the first `length` positions are read. */
  readCount(length: number): number {
    let count = 0;
    for (let position = 0; position < length; position += 1) if (this.isRead(position)) count += 1;
    return count;
  }

  /** 0 where it is not read. */
  rank(position: number, layer: number): number {
    const row = layer / layerStep(this.hasHalf);
    const isThere = this.isRead(position) && Number.isInteger(row) && row >= 0 && row < this.nRows;
    return isThere ? (this.ranks[position * this.nRows + row] ?? 0) : 0;
  }

  /** Null where it is not read. */
  place(position: number, layer: number): TokenPlace | null {
    const rank = this.rank(position, layer);
    if (rank === 0) return null;
    const row = layer / layerStep(this.hasHalf);
    return { rank, probability: this.probabilities[position * this.nRows + row] ?? Number.NaN };
  }

  private reserve(length: number): void {
    const cells = length * this.nRows;
    if (cells <= this.ranks.length) return;
    const capacity = Math.max(cells, 2 * this.ranks.length, 128 * this.nRows);
    const ranks = new Int32Array(capacity);
    ranks.set(this.ranks);
    this.ranks = ranks;
    const probabilities = new Float32Array(capacity);
    probabilities.set(this.probabilities);
    this.probabilities = probabilities;
  }
}
