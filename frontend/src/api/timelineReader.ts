/**
 * Reads a whole conversation through one lens, in chunks, into typed arrays. One reader per
 * conversation: its timeline only grows, so what was read stays valid.
 */
import { LensColumns, CELL_PREDICTIONS, type Span } from "@/lib/columns";
import type { LensKind } from "@/lib/lenses";
import type { RankColumns } from "@/lib/rankColumns";
import type { Token } from "@/types/timeline";
import { type LensReadRequest, type LensReadResponse, fetchLens } from "./client";
import { ApiError, isAbort } from "./errors";
import type { RequestLane } from "./lane";

const MIN_CHUNK = 16;
const MAX_CHUNK = 64;
/** A click may have to wait for the chunk under way, so a chunk should not take much longer. */
const CHUNK_TARGET_MS = 100;
/** How long to wait before asking again when the queue is full, and how often. */
const BUSY_WAIT_MS = 1000;
const BUSY_ATTEMPTS = 10;

export interface ReadProgress {
  /** A read-out that failed; null while all is well. */
  readonly error: ApiError | null;
  readonly isReading: boolean;
  /** Changes with the contents of `columns`. */
  readonly version: number;
}

/** Where answers are kept, and what of a timeline it still lacks. */
interface Columns {
  readonly version: number;
  nextGap: (length: number, size: number, visible: Span | null) => Span | null;
  mergeResponse: (response: LensReadResponse) => void;
}

type Asks = Pick<LensReadRequest, "top_k" | "targets">;

class ColumnReader<Kept extends Columns> {
  readonly columns: Kept;
  private progress: ReadProgress = { error: null, isReading: false, version: 0 };
  private visible: Span | null = null;
  private runs = 0;
  private chunk = MIN_CHUNK;
  private readonly listeners = new Set<() => void>();
  private readonly conversationId: string;
  private readonly kind: LensKind;
  private readonly lane: RequestLane;
  private readonly asks: Asks;

  constructor(conversationId: string, kind: LensKind, lane: RequestLane, columns: Kept, asks: Asks) {
    this.conversationId = conversationId;
    this.kind = kind;
    this.lane = lane;
    this.columns = columns;
    this.asks = asks;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getProgress = (): ReadProgress => this.progress;

  /** Tells which positions are on the screen; they are read before all others. */
  show(span: Span): void {
    this.visible = span;
  }

  /** Reads what is missing of a timeline of `length` tokens, until all is read or `signal` aborts. */
  async read(length: number, signal: AbortSignal): Promise<void> {
    this.runs += 1;
    this.publish({ error: null });
    let busyAttempts = 0;
    for (;;) {
      const gap = this.columns.nextGap(length, this.chunk, this.visible);
      if (gap === null || signal.aborted) break;
      try {
        await this.readSpan(gap, signal);
        busyAttempts = 0;
      } catch (error) {
        if (isAbort(error)) break;
        if (!(error instanceof ApiError)) throw error;
        busyAttempts += 1;
        if (error.code !== "queue_full" || busyAttempts > BUSY_ATTEMPTS) {
          this.publish({ error });
          break;
        }
        await pause(BUSY_WAIT_MS, signal);
      }
    }
    this.runs -= 1;
    this.publish({});
  }

  private async readSpan({ start, end }: Span, signal: AbortSignal): Promise<void> {
    await this.lane.afterwards(async () => {
      signal.throwIfAborted();
      const startedAt = performance.now();
      const response = await fetchLens(
        {
          conversation_id: this.conversationId,
          kind: this.kind,
          positions: [start, end],
          ...this.asks,
          include_tokens: false,
        },
        signal,
      );
      const answered = new Set(response.targets.map((target) => target.token_id));
      if (this.asks.targets?.every((id) => answered.has(id)) === false) {
        throw new ApiError({ code: "bad_answer", message: "The server's answer lacks the token asked for." });
      }
      this.columns.mergeResponse(response);
      // Each request has a cost of its own besides that of its positions, so the size is steered by
      // halves and doubles instead of being computed from the time per position.
      const took = performance.now() - startedAt;
      if (took > 2 * CHUNK_TARGET_MS) this.chunk = Math.max(MIN_CHUNK, this.chunk / 2);
      else if (took < CHUNK_TARGET_MS) this.chunk = Math.min(MAX_CHUNK, this.chunk * 2);
      this.publish({});
    });
  }

  protected publish(change: Partial<ReadProgress>): void {
    this.progress = { ...this.progress, ...change, isReading: this.runs > 0, version: this.columns.version };
    for (const listener of this.listeners) listener();
  }
}

/** The read-outs of every layer at every position. */
export class TimelineReader extends ColumnReader<LensColumns> {
  constructor(conversationId: string, kind: LensKind, lane: RequestLane) {
    super(conversationId, kind, lane, new LensColumns(), { top_k: CELL_PREDICTIONS });
  }

  /** Takes the read-outs that arrived with the tokens of a reply. */
  take(tokens: readonly Token[]): void {
    for (const token of tokens) {
      if (token.lens !== null) this.columns.mergeTokenLens(token.index, token.lens);
    }
    if (this.columns.version !== this.getProgress().version) this.publish({});
  }
}

/** One token's rank and probability, everywhere. */
export class RankReader extends ColumnReader<RankColumns> {
  constructor(conversationId: string, kind: LensKind, lane: RequestLane, columns: RankColumns) {
    super(conversationId, kind, lane, columns, { top_k: 1, targets: [columns.tokenId] });
  }
}

/** Ends early when `signal` aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
