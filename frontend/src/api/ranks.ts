/** Rank and probability of one token in the whole conversation, for the views. */
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { Span } from "@/lib/columns";
import type { LensKind } from "@/lib/lenses";
import { RankColumns } from "@/lib/rankColumns";
import type { Timeline } from "@/types/timeline";
import type { ApiError } from "./errors";
import { NOT_STARTED, lane } from "./lens";
import { RankReader } from "./timelineReader";

export interface TimelineRanks {
  /** Filled in place; `version` changes with it. Null while no token is chosen. */
  readonly columns: RankColumns | null;
  readonly version: number;
  /** Positions read, of `total`. */
  readonly read: number;
  readonly total: number;
  readonly isReading: boolean;
  readonly error: ApiError | null;
  readonly retry: () => void;
  /** Tells which positions are on the screen, to be read first. */
  readonly setVisible: (span: Span) => void;
}

/** Readers of the tokens looked at last, so that going back to one asks nothing again. */
const readers = new Map<string, RankReader>();
const KEPT_READERS = 8;

function readerOf(conversationId: string, kind: LensKind, tokenId: number): RankReader {
  const key = `${kind} ${conversationId} ${tokenId}`;
  const reader = readers.get(key) ?? new RankReader(conversationId, kind, lane, new RankColumns(tokenId));
  readers.delete(key);
  readers.set(key, reader);
  const oldest = readers.keys().next().value;
  if (readers.size > KEPT_READERS && oldest !== undefined) readers.delete(oldest);
  return reader;
}

const subscribeToNothing = () => () => undefined;
const getNotStarted = () => NOT_STARTED;

/** Nothing is asked for while `tokenId` is null, or while a reply is being written. */
export function useTimelineRanks(timeline: Timeline, kind: LensKind, tokenId: number | null): TimelineRanks {
  const { conversationId, tokens, status } = timeline;
  const [attempt, setAttempt] = useState(0);
  const reader = useMemo(
    () => (conversationId === null || tokenId === null ? null : readerOf(conversationId, kind, tokenId)),
    [conversationId, kind, tokenId],
  );
  const progress = useSyncExternalStore(
    reader?.subscribe ?? subscribeToNothing,
    reader?.getProgress ?? getNotStarted,
  );
  const total = tokens.length;
  useEffect(() => {
    if (reader === null || status !== "settled") return undefined;
    const controller = new AbortController();
    void reader.read(total, controller.signal);
    return () => controller.abort();
  }, [reader, status, total, attempt]);

  return {
    columns: reader?.columns ?? null,
    version: progress.version,
    read: reader?.columns.readCount(total) ?? 0,
    total,
    isReading: progress.isReading,
    error: progress.error,
    retry: useCallback(() => setAttempt((count) => count + 1), []),
    setVisible: useCallback((span: Span) => reader?.show(span), [reader]),
  };
}
