/** Rank and probability of one token in the whole conversation, for the views. */
import { useCallback, useMemo } from "react";
import type { Span } from "@/lib/columns";
import type { LensKind } from "@/lib/lenses";
import { RankColumns } from "@/lib/rankColumns";
import { readability } from "@/lib/readability";
import type { Timeline } from "@/types/timeline";
import { type ChunkedReading, useChunkedReading } from "./chunkedReading";
import { lane } from "./lens";
import { RankReader } from "./timelineReader";

export interface TimelineRanks extends ChunkedReading {
  /** Filled in place; `version` changes with it. Null while no token is chosen. */
  readonly columns: RankColumns | null;
  /** Positions read, of `total`. */
  readonly read: number;
  readonly total: number;
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

/** Nothing is asked for while `tokenId` is null, or while a reply is being written. */
export function useTimelineRanks(timeline: Timeline, kind: LensKind, tokenId: number | null): TimelineRanks {
  const { conversationId, tokens } = timeline;
  const reader = useMemo(
    () => (conversationId === null || tokenId === null ? null : readerOf(conversationId, kind, tokenId)),
    [conversationId, kind, tokenId],
  );
  const total = tokens.length;
  const reading = useChunkedReading(
    reader,
    readability(timeline),
    useCallback((own: RankReader, signal: AbortSignal) => own.read(total, signal), [total]),
    ({ columns }) => columns.readCount(total) === total,
  );
  return {
    ...reading,
    columns: reader?.columns ?? null,
    read: reader?.columns.readCount(total) ?? 0,
    total,
    setVisible: useCallback((span: Span) => reader?.show(span), [reader]),
  };
}
