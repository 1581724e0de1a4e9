/** Reads every pair of two aligned timelines, in chunks. */
import { ApiError } from "@/base/errors";
import { nextGap } from "@/base/gaps";
import type { RequestLane } from "@/base/lane";
import type { Span } from "@/base/span";
import type { ModelIdentity, Token } from "@/model/timeline";
import { ChunkedReader } from "@/reading/chunkedReader";
import type { CompareRequest } from "@/types/schemas";
import type { Alignment } from "@/features/pair/alignment";
import { type CompareResponse, type Pair, pairOf } from "./pairColumns";
import { fetchComparison } from "./requests";

/** What is compared with what: two sides, rows of layer pairs, and tokens to look for. */
export type Comparison = Pick<CompareRequest, "a" | "b" | "layers" | "targets">;

/** Where answers are kept. */
interface Kept {
  readonly version: number;
  follow: (a: readonly Token[], b: readonly Token[]) => void;
  isRead: (pair: Pair) => boolean;
  mergeResponse: (response: CompareResponse) => void;
}

export class PairReader<T extends Kept> extends ChunkedReader {
  readonly kept: T;
  private readonly comparison: Comparison;
  private readonly model: ModelIdentity | null;
  /** Changes when what was asked for before may be of other tokens. */
  private text = 0;

  constructor(comparison: Comparison, model: ModelIdentity | null, lane: RequestLane, kept: T) {
    super(lane, () => kept.version);
    this.comparison = comparison;
    this.model = model;
    this.kept = kept;
  }

  /** Takes both timelines as they are now, and drops what was read of others. */
  follow(a: readonly Token[], b: readonly Token[]): void {
    const before = this.kept.version;
    this.kept.follow(a, b);
    if (this.kept.version === before) return;
    this.text += 1;
    this.publish({});
  }

  /** Reads the pairs that are missing, until all are read or `signal` aborts. */
  read(alignment: Alignment, signal: AbortSignal): Promise<void> {
    // Gaps are left out before pairs are counted: they cost nothing and end no chunk.
    const pairs = alignment.columns.flatMap((column, at) => {
      const pair = pairOf(column);
      return pair === null ? [] : [{ ...pair, at }];
    });
    const placeOf = (column: number): number => {
      const place = pairs.findIndex((pair) => pair.at >= column);
      return place < 0 ? pairs.length : place;
    };
    const isMissing = (place: number): boolean => {
      const pair = pairs[place];
      return pair !== undefined && !this.kept.isRead(pair);
    };
    return this.readAll(
      {
        nextGap: (size, visible) => {
          const shown: Span | null =
            visible === null ? null : { start: placeOf(visible.start), end: placeOf(visible.end) };
          return nextGap(isMissing, pairs.length, size, shown);
        },
        readSpan: async ({ start, end }, until) => {
          const positions = pairs.slice(start, end).map(({ a, b }): [number, number] => [a, b]);
          const body: CompareRequest = { ...this.comparison, positions, include_tokens: false };
          const { text } = this;
          const response = await fetchComparison(body, this.model, until);
          requireWhole(response, body);
          if (text === this.text) this.kept.mergeResponse(response);
        },
      },
      signal,
    );
  }
}

/** Throws an ApiError where the answer is not of what was asked for. */
function requireWhole(response: CompareResponse, { positions, targets }: CompareRequest): void {
  const isSame = positions?.every(([a, b], i) => response.positions[i]?.join() === `${a},${b}`);
  const answered = new Set(response.targets.map((target) => target.token_id));
  if (isSame !== true || targets?.every((id) => answered.has(id)) === false) {
    throw new ApiError({
      code: "bad_answer",
      message: "The server compared something else than was asked for.",
    });
  }
}
