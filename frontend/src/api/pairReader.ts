/** Reads every pair of two aligned timelines, in chunks. */
import type { Alignment } from "@/lib/alignment";
import type { Span } from "@/lib/columns";
import { type CompareResponse, pairOf } from "@/lib/pairColumns";
import { ChunkedReader } from "./chunkedReader";
import { type CompareRequest, fetchComparison } from "./client";
import type { RequestLane } from "./lane";

/** What is compared with what: two sides, rows of layer pairs, and tokens to look for. */
export type Comparison = Pick<CompareRequest, "a" | "b" | "layers" | "targets">;

/** Where answers are kept, and what of an alignment they still lack. */
interface Kept {
  readonly version: number;
  nextGap: (alignment: Alignment, size: number, visible: Span | null) => Span | null;
  mergeResponse: (response: CompareResponse) => void;
}

export class PairReader<T extends Kept> extends ChunkedReader {
  readonly kept: T;
  private readonly comparison: Comparison;

  constructor(comparison: Comparison, lane: RequestLane, kept: T) {
    super(lane, () => kept.version);
    this.comparison = comparison;
    this.kept = kept;
  }

  /** Reads the pairs that are missing, until all are read or `signal` aborts. */
  read(alignment: Alignment, signal: AbortSignal): Promise<void> {
    return this.readAll(
      {
        nextGap: (size, visible) => this.kept.nextGap(alignment, size, visible),
        readSpan: async ({ start, end }, until) => {
          const positions = alignment.columns.slice(start, end).flatMap((column): [number, number][] => {
            const pair = pairOf(column);
            return pair === null ? [] : [[pair.a, pair.b]];
          });
          const body: CompareRequest = { ...this.comparison, positions, include_tokens: false };
          this.kept.mergeResponse(await fetchComparison(body, until));
        },
      },
      signal,
    );
  }
}
