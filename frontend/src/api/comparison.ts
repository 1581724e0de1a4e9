/** Two aligned timelines, pair by pair, for the Compare view. */
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { Alignment } from "@/lib/alignment";
import type { Span } from "@/lib/columns";
import { PairColumns, TargetColumns } from "@/lib/pairColumns";
import type { ApiError } from "./errors";
import { NOT_STARTED, lane } from "./lens";
import { type Comparison, PairReader } from "./pairReader";

export interface ReadPairs<T> {
  /** Filled in place; `version` changes with it. Null while there is nothing to compare. */
  readonly kept: T | null;
  readonly version: number;
  /** Pairs read, of `total`. */
  readonly read: number;
  readonly total: number;
  /**
   * `deferred`: the model is busy with a reply, reading starts when it has ended;
   * `cancelled`: the person stopped the reading.
   */
  readonly status: "deferred" | "loading" | "cancelled" | "failed" | "done";
  readonly error: ApiError | null;
  readonly cancel: () => void;
  /** Reads what failed or was cancelled. */
  readonly retry: () => void;
  /** Tells which columns are on the screen, to be read first. */
  readonly setVisible: (span: Span) => void;
}

/** The readers of the comparisons looked at last, so that going back to one asks nothing again. */
class Readers<T extends PairColumns | TargetColumns> {
  private readonly readers = new Map<string, PairReader<T>>();
  private readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  of(comparison: Comparison, create: () => T): PairReader<T> {
    const key = JSON.stringify(comparison);
    const reader = this.readers.get(key) ?? new PairReader(comparison, lane, create());
    this.readers.delete(key);
    this.readers.set(key, reader);
    const oldest = this.readers.keys().next().value;
    if (this.readers.size > this.limit && oldest !== undefined) this.readers.delete(oldest);
    return reader;
  }
}

const pairReaders = new Readers<PairColumns>(6);
const targetReaders = new Readers<TargetColumns>(8);

/** Divergences and first choices of every pair. Nothing is asked for while `comparison` is null or a reply is written. */
export function useComparedPairs(
  comparison: Comparison | null,
  alignment: Alignment | null,
  isSettled: boolean,
): ReadPairs<PairColumns> {
  const reader = useMemo(
    () => (comparison === null ? null : pairReaders.of(comparison, () => new PairColumns())),
    [comparison],
  );
  return useReader(reader, alignment, isSettled);
}

/** Probability and rank of one token on both sides of every pair; none while `tokenId` is null. */
export function useComparedTarget(
  comparison: Comparison | null,
  alignment: Alignment | null,
  isSettled: boolean,
  tokenId: number | null,
): ReadPairs<TargetColumns> {
  const reader = useMemo(
    () =>
      comparison === null || tokenId === null
        ? null
        : targetReaders.of({ ...comparison, targets: [tokenId] }, () => new TargetColumns(tokenId)),
    [comparison, tokenId],
  );
  return useReader(reader, alignment, isSettled);
}

const subscribeToNothing = () => () => undefined;
const getNotStarted = () => NOT_STARTED;

function useReader<T extends PairColumns | TargetColumns>(
  reader: PairReader<T> | null,
  alignment: Alignment | null,
  isSettled: boolean,
): ReadPairs<T> {
  const [attempt, setAttempt] = useState(0);
  /** The reading that was stopped; another one is not. */
  const [stopped, setStopped] = useState<PairReader<T> | null>(null);
  const progress = useSyncExternalStore(
    reader?.subscribe ?? subscribeToNothing,
    reader?.getProgress ?? getNotStarted,
  );
  const isStopped = reader !== null && stopped === reader;
  useEffect(() => {
    if (reader === null || alignment === null || !isSettled || isStopped) return undefined;
    const controller = new AbortController();
    void reader.read(alignment, controller.signal);
    return () => controller.abort();
  }, [reader, alignment, isSettled, isStopped, attempt]);

  const read = alignment === null ? 0 : (reader?.kept.readCount(alignment) ?? 0);
  const total = alignment?.nPairs ?? 0;
  const isComplete = read === total && reader !== null;
  return {
    kept: reader?.kept ?? null,
    version: progress.version,
    read,
    total,
    status: isComplete
      ? "done"
      : !isSettled
        ? "deferred"
        : isStopped
          ? "cancelled"
          : progress.error !== null
            ? "failed"
            : "loading",
    error: isComplete ? null : progress.error,
    cancel: useCallback(() => setStopped(reader), [reader]),
    retry: useCallback(() => {
      setStopped(null);
      setAttempt((count) => count + 1);
    }, []),
    setVisible: useCallback((span: Span) => reader?.show(span), [reader]),
  };
}
