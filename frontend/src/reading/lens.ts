/** Lens read-outs of the timeline, for the views: of one token, and of the whole conversation. */
import { useCallback, useEffect, useLayoutEffect, useMemo } from "react";
import { RequestLane } from "@/base/lane";
import type { Span } from "@/base/span";
import { modelKey } from "@/model/identity";
import { layerLabel } from "@/model/layers";
import type { LensInUse, LensKind } from "@/model/lenses";
import { textKey } from "@/model/textKey";
import type { LayerReadout, Timeline, Token } from "@/model/timeline";
import type { LensReadResponse } from "@/types/schemas";
import { type ChunkedReading, useChunkedReading, useReadToEnd } from "./chunkedReading";
import { LensColumns } from "./columns";
import { passingAfter, readability } from "./readability";
import type { ReadState, ReadStatus } from "./readState";
import { lensRows } from "./lensRows";
import { fetchLens, halfLayers } from "./requests";
import { hasSource, sourceOf } from "./source";
import { type ReadConversation, TimelineReader, readKey } from "./timelineReader";
import { useReading } from "./useReading";

/** Like a `LayerReadout`, but `actual` is null where no token follows yet. */
export type LayerReading = Omit<LayerReadout, "actual"> & { readonly actual: LayerReadout["actual"] | null };

/** Every layer's prediction at one position, layer 0 first. */
export interface Reading {
  /** Where the residual stream was read; it predicts the token at `position + 1`. */
  readonly position: number;
  readonly layers: readonly LayerReading[];
}

export interface TokenLens extends ReadState<Exclude<ReadStatus, "none" | "cancelled">> {
  /** How the token at `index` was predicted: read at `index - 1`. Null for the first token, and until it is read. */
  readonly predictedBy: Reading | null;
  /** What is predicted after the token at `index`: read at `index`. Null until it is read. */
  readonly predicts: Reading | null;
}

/** Of every read-out of this page. */
export const lane = new RequestLane();

/** The lens of the read-outs that come with a reply. */
const STREAMED_KIND: LensKind = "logit";
const AS_STREAMED: LensInUse = { kind: STREAMED_KIND, hasHalf: false };

/** Numbers of predictions that are asked for, so that a slightly larger `top_k` needs no new request. */
const FETCH_SIZES = [10, 25, 50] as const;

/** Read-outs around the token at `index`, with the `topK` most probable tokens of each layer. */
export function useTokenLens(
  timeline: Timeline,
  index: number,
  topK: number,
  { kind, hasHalf }: LensInUse = AS_STREAMED,
): TokenLens {
  const { conversationId, model, tokens } = timeline;
  const readable = readability(timeline);
  const size = FETCH_SIZES.find((each) => each >= topK) ?? 50;
  const { data, status, error, retry } = useReading({
    // With the token that follows: it is a part of what is read.
    key: ["lens", modelKey(model), kind, hasHalf, conversationId, textKey(tokens, index + 2), index, size],
    readable,
    isAsked: index < tokens.length,
    ask: (signal) =>
      lane.first(() =>
        fetchLens(
          {
            ...sourceOf(conversationId, tokens),
            kind,
            ...halfLayers(hasHalf),
            positions: [Math.max(0, index - 1), index + 1],
            top_k: size,
            include_tokens: false,
          },
          model,
          signal,
        ),
      ),
    merge: asAnswered,
    passing: passingAfter(timeline),
  });

  const isStreamed = kind === STREAMED_KIND;
  const streamed = isStreamed ? (tokens[index]?.lens ?? null) : null;
  const streamedNext = isStreamed ? (tokens[index + 1]?.lens ?? null) : null;
  const readings = useMemo(
    () => ({
      predictedBy: readingOf(data, index - 1, topK) ?? streamedReading(streamed, index - 1, topK, hasHalf),
      predicts: readingOf(data, index, topK) ?? streamedReading(streamedNext, index, topK, hasHalf),
    }),
    [data, index, topK, streamed, streamedNext, hasHalf],
  );
  return { ...readings, status: status === "none" ? "loading" : status, error, retry };
}

const asAnswered = (answer: LensReadResponse): LensReadResponse => answer;

function readingOf(response: LensReadResponse | null, position: number, topK: number): Reading | null {
  const column = response?.positions.indexOf(position) ?? -1;
  if (response === null || column < 0) return null;
  const layers = response.layers.map((layer, row): LayerReading => {
    const probabilities = response.top_probabilities[row]?.[column] ?? [];
    const rank = response.next_rank[row]?.[column] ?? null;
    const probability = response.next_probability[row]?.[column] ?? null;
    return {
      layer,
      label: layerLabel(layer),
      predictions: (response.top_ids[row]?.[column] ?? []).slice(0, topK).map((id, k) => ({
        token_id: id,
        text: response.vocabulary[String(id)] ?? "",
        probability: probabilities[k] ?? Number.NaN,
        rank: k + 1,
      })),
      entropy_nats: response.entropy_nats[row]?.[column] ?? Number.NaN,
      kl_to_final_nats: response.kl_to_final_nats[row]?.[column] ?? Number.NaN,
      actual: rank === null || probability === null ? null : { rank, probability },
    };
  });
  return { position, layers };
}

const streamedReading = (
  lens: readonly LayerReadout[] | null,
  position: number,
  topK: number,
  hasHalf: boolean,
): Reading | null =>
  lens === null
    ? null
    : {
        position,
        // Of a reply that came without half layers the whole ones are shown until the others are read.
        layers: (lensRows(lens, hasHalf) ?? lens).map((each) => ({
          ...each,
          label: layerLabel(each.layer),
          predictions: each.predictions.slice(0, topK),
        })),
      };

export interface TimelineLens extends ChunkedReading {
  /** Filled in place; `version` changes with it. Null before the first reply started. */
  readonly columns: LensColumns | null;
  /** Positions read in full, of `total`. */
  readonly read: number;
  readonly total: number;
  /** Tells which positions are on the screen, to be read first. */
  readonly setVisible: (span: Span) => void;
}

/** Readers of the conversations looked at last, each through one lens. */
const readers = new Map<string, TimelineReader>();
const KEPT_READERS = 4;

function readerOf(of: ReadConversation): TimelineReader {
  const key = readKey(of);
  const reader = readers.get(key) ?? new TimelineReader(of, lane);
  readers.delete(key);
  readers.set(key, reader);
  const oldest = readers.keys().next().value;
  if (readers.size > KEPT_READERS && oldest !== undefined) readers.delete(oldest);
  return reader;
}

/** Read-outs of the whole conversation: those that come with a reply at once, the others when it has ended. */
export function useTimelineLens(
  timeline: Timeline,
  { kind, hasHalf }: LensInUse = AS_STREAMED,
): TimelineLens {
  const { conversationId, model, tokens } = timeline;
  const readable = readability(timeline);
  const isHeld = hasSource(timeline);
  const reader = useMemo(
    () => (isHeld && model !== null ? readerOf({ conversationId, model, kind, hasHalf }) : null),
    [isHeld, conversationId, model, kind, hasHalf],
  );
  useLayoutEffect(() => reader?.follow(tokens), [reader, tokens]);
  useEffect(() => {
    if (kind === STREAMED_KIND) reader?.take(tokens);
  }, [reader, tokens, kind]);

  const total = tokens.length;
  const reading = useChunkedReading(
    reader,
    readable,
    useReadToEnd(tokens, readable),
    ({ columns }) => columns.readCount(total) === total,
  );
  // Of a reply that was not stored there is only what came with it.
  const unsaved = useMemo(
    () => (readable === "unsaved" ? streamedColumns(tokens, { kind, hasHalf }) : null),
    [readable, tokens, kind, hasHalf],
  );
  const columns = reader?.columns ?? unsaved;
  const setVisible = useCallback((span: Span) => reader?.show(span), [reader]);
  return { ...reading, columns, read: columns?.readCount(total) ?? 0, total, setVisible };
}

function streamedColumns(tokens: readonly Token[], { kind, hasHalf }: LensInUse): LensColumns {
  const columns = new LensColumns(hasHalf);
  if (kind !== STREAMED_KIND) return columns;
  for (const { index, lens } of tokens) if (lens !== null) columns.mergeTokenLens(index, lens);
  return columns;
}
