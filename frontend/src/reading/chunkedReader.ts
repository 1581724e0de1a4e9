/**
 * Reads what is missing of something long, in chunks: what is on the screen first, one request at a
 * time and never before a click, with the size of a chunk steered by how long the last one took.
 */
import { ApiError, isAbort } from "@/base/errors";
import type { RequestLane } from "@/base/lane";
import { pause } from "@/base/pause";
import type { Span } from "@/base/span";

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
  /** Changes with what was read. */
  readonly version: number;
}

/** What there is to read. */
interface ChunkedWork {
  /** The next run to ask for, at most `size` long; null where nothing is missing. */
  readonly nextGap: (size: number, visible: Span | null) => Span | null;
  /** Asks for a run and keeps the answer. */
  readonly readSpan: (span: Span, signal: AbortSignal) => Promise<void>;
}

export class ChunkedReader {
  private progress: ReadProgress = { error: null, version: 0 };
  private visible: Span | null = null;
  private chunk = MIN_CHUNK;
  private readonly listeners = new Set<() => void>();
  private readonly lane: RequestLane;
  private readonly version: () => number;

  /** `version` changes with what was read. */
  constructor(lane: RequestLane, version: () => number) {
    this.lane = lane;
    this.version = version;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getProgress = (): ReadProgress => this.progress;

  /** Tells what is on the screen; it is read before all else. */
  show(span: Span): void {
    this.visible = span;
  }

  /** Reads until nothing is missing or `signal` aborts. Rejects with what is no failure of the server. */
  protected async readAll(work: ChunkedWork, signal: AbortSignal): Promise<void> {
    this.publish({ error: null });
    let busyAttempts = 0;
    while (!signal.aborted && work.nextGap(this.chunk, this.visible) !== null) {
      try {
        if (!(await this.readOne(work, signal))) return;
        busyAttempts = 0;
      } catch (error) {
        if (isAbort(error)) return;
        if (!(error instanceof ApiError)) throw error;
        busyAttempts += 1;
        if (error.code !== "queue_full" || busyAttempts > BUSY_ATTEMPTS) {
          this.publish({ error });
          return;
        }
        await pause(BUSY_WAIT_MS, signal);
      }
    }
  }

  /** False where nothing was missing any more. */
  private readOne(work: ChunkedWork, signal: AbortSignal): Promise<boolean> {
    return this.lane.afterwards(async () => {
      signal.throwIfAborted();
      // Not before it is this run's turn: another that reads the same may have filled the gap meanwhile.
      const gap = work.nextGap(this.chunk, this.visible);
      if (gap === null) return false;
      const startedAt = performance.now();
      await work.readSpan(gap, signal);
      // Each request has a cost of its own besides that of its positions, so the size is steered by
      // halves and doubles instead of being computed from the time per position.
      const took = performance.now() - startedAt;
      if (took > 2 * CHUNK_TARGET_MS) this.chunk = Math.max(MIN_CHUNK, this.chunk / 2);
      else if (took < CHUNK_TARGET_MS) this.chunk = Math.min(MAX_CHUNK, this.chunk * 2);
      this.publish({});
      return true;
    });
  }

  protected publish(change: Partial<ReadProgress>): void {
    this.progress = { ...this.progress, ...change, version: this.version() };
    for (const listener of this.listeners) listener();
  }
}
