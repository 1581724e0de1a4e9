/** Two aligned timelines, pair by pair, for the Compare view. */
import { useCallback, useLayoutEffect, useMemo } from "react";
import type { Span } from "@/base/span";
import { modelKey } from "@/model/identity";
import type { ModelIdentity, Token } from "@/model/timeline";
import { type ChunkedReading, useChunkedReading } from "@/reading/chunkedReading";
import { lane } from "@/reading/lens";
import type { Readability } from "@/reading/readability";
import type { Alignment } from "@/features/pair/alignment";
import { PairColumns, TargetColumns } from "./pairColumns";
import { type Comparison, PairReader } from "./pairReader";

export interface ReadPairs<T> extends ChunkedReading {
  /** Filled in place; `version` changes with it. Null while there is nothing to compare. */
  readonly kept: T | null;
  /** Pairs read, of `total`. */
  readonly read: number;
  readonly total: number;
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

  of(comparison: Comparison, model: ModelIdentity | null, create: () => T): PairReader<T> {
    const key = JSON.stringify([modelKey(model), comparison]);
    const reader = this.readers.get(key) ?? new PairReader(comparison, model, lane, create());
    this.readers.delete(key);
    this.readers.set(key, reader);
    const oldest = this.readers.keys().next().value;
    if (this.readers.size > this.limit && oldest !== undefined) this.readers.delete(oldest);
    return reader;
  }
}

const pairReaders = new Readers<PairColumns>(6);
const targetReaders = new Readers<TargetColumns>(8);

/** What is compared: the tokens of both sides, and the model that computed them. */
export interface ComparedTexts {
  readonly model: ModelIdentity | null;
  readonly a: readonly Token[];
  readonly b: readonly Token[];
}

/** Divergences and first choices of every pair. Nothing is asked for while `comparison` is null or a reply is written. */
export function useComparedPairs(
  comparison: Comparison | null,
  texts: ComparedTexts,
  alignment: Alignment | null,
  readable: Readability,
): ReadPairs<PairColumns> {
  const reader = useMemo(
    () => (comparison === null ? null : pairReaders.of(comparison, texts.model, () => new PairColumns())),
    [comparison, texts.model],
  );
  return useReader(reader, texts, alignment, readable);
}

/** Probability and rank of one token on both sides of every pair; none while `tokenId` is null. */
export function useComparedTarget(
  comparison: Comparison | null,
  texts: ComparedTexts,
  alignment: Alignment | null,
  readable: Readability,
  tokenId: number | null,
): ReadPairs<TargetColumns> {
  const reader = useMemo(
    () =>
      comparison === null || tokenId === null
        ? null
        : targetReaders.of(
            { ...comparison, targets: [tokenId] },
            texts.model,
            () => new TargetColumns(tokenId),
          ),
    [comparison, texts.model, tokenId],
  );
  return useReader(reader, texts, alignment, readable);
}

function useReader<T extends PairColumns | TargetColumns>(
  reader: PairReader<T> | null,
  { a, b }: ComparedTexts,
  alignment: Alignment | null,
  readable: Readability,
): ReadPairs<T> {
  useLayoutEffect(() => reader?.follow(a, b), [reader, a, b]);
  const total = alignment?.nPairs ?? 0;
  const reading = useChunkedReading(
    alignment === null ? null : reader,
    readable,
    useCallback(
      async (own: PairReader<T>, signal: AbortSignal) => {
        if (alignment !== null) await own.read(alignment, signal);
      },
      [alignment],
    ),
    ({ kept }) => alignment !== null && kept.readCount(alignment) === total,
  );
  return {
    ...reading,
    kept: reader?.kept ?? null,
    read: alignment === null ? 0 : (reader?.kept.readCount(alignment) ?? 0),
    total,
    setVisible: useCallback((span: Span) => reader?.show(span), [reader]),
  };
}
