/** Rank and probability of one token in the whole conversation, for the views. */
import { useCallback, useLayoutEffect, useMemo } from "react";
import type { Span } from "@/base/span";
import type { LensInUse } from "@/model/lenses";
import type { Timeline } from "@/model/timeline";
import { type ChunkedReading, useChunkedReading, useReadToEnd } from "./chunkedReading";
import { lane } from "./lens";
import { RankColumns } from "./rankColumns";
import { readability } from "./readability";
import { hasSource } from "./source";
import { RankReader, type ReadConversation, readKey } from "./timelineReader";

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

function readerOf(of: ReadConversation, tokenId: number): RankReader {
  const key = `${readKey(of)} ${tokenId}`;
  const reader = readers.get(key) ?? new RankReader(of, lane, new RankColumns(tokenId, of.hasHalf));
  readers.delete(key);
  readers.set(key, reader);
  const oldest = readers.keys().next().value;
  if (readers.size > KEPT_READERS && oldest !== undefined) readers.delete(oldest);
  return reader;
}

/** Nothing is asked for while `tokenId` is null, or while a reply is being written. */
export function useTimelineRanks(
  timeline: Timeline,
  { kind, hasHalf }: LensInUse,
  tokenId: number | null,
): TimelineRanks {
  const { conversationId, model, tokens } = timeline;
  const readable = readability(timeline);
  const isHeld = hasSource(timeline);
  const reader = useMemo(
    () =>
      !isHeld || model === null || tokenId === null
        ? null
        : readerOf({ conversationId, model, kind, hasHalf }, tokenId),
    [isHeld, conversationId, model, kind, hasHalf, tokenId],
  );
  useLayoutEffect(() => reader?.follow(tokens), [reader, tokens]);
  const total = tokens.length;
  const reading = useChunkedReading(
    reader,
    readable,
    useReadToEnd(tokens, readable),
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
