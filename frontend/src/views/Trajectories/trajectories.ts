/** Trajectories of the timeline's tokens and of any other token, for the views. */
import { useQueries, useQueryClient } from "@tanstack/react-query";
import { ApiError, asApiError } from "@/base/errors";
import { modelKey } from "@/model/identity";
import type { LensInUse } from "@/model/lenses";
import { textKey } from "@/model/textKey";
import type { Timeline, Token } from "@/model/timeline";
import { lane } from "@/reading/lens";
import { lensRows } from "@/reading/lensRows";
import { type Readability, readability } from "@/reading/readability";
import type { ReadState, ReadStatus } from "@/reading/readState";
import { type ReadSource, sourceOf } from "@/reading/source";
import type { Curve } from "./curveMetrics";
import { CurveReader, type CurvePlace } from "./curves";

export interface Trajectories extends ReadState<Exclude<ReadStatus, "none">> {
  /** Null until it is read. */
  readonly curveOf: (tokenId: number, position: number) => Curve | null;
  readonly cancel: () => void;
}

const reader = new CurveReader(lane);

/** The trajectory of the actual token, from the read-outs that came with it. */
function curveWithToken(token: Token | undefined, tokenId: number, hasHalf: boolean): Curve | null {
  if (token?.id !== tokenId || token.lens === null) return null;
  const lens = lensRows(token.lens, hasHalf) ?? token.lens;
  return {
    tokenId,
    text: token.text,
    layers: lens.map(({ layer }) => layer),
    probability: lens.map(({ actual }) => actual.probability),
    rank: lens.map(({ actual }) => actual.rank),
  };
}

const keyOf = (tokenId: number, position: number): string => `${tokenId}@${position}`;

/** The trajectories of the shown timeline. */
export const useTrajectories = (
  timeline: Timeline,
  wanted: readonly CurvePlace[],
  lens: LensInUse,
): Trajectories =>
  useCurves(
    {
      source: sourceOf(timeline.conversationId, timeline.tokens),
      model: timeline.model,
      tokens: timeline.tokens,
      readable: readability(timeline),
    },
    wanted,
    lens,
  );

export interface ReadTimeline extends ReadText {
  readonly source: ReadSource;
  readonly readable: Readability;
}

type ReadText = Pick<Timeline, "model" | "tokens">;

/** The trajectories of any timeline. `wanted` may name one twice; it is read once. */
export function useCurves(
  { source, model, tokens, readable }: ReadTimeline,
  wanted: readonly CurvePlace[],
  { kind, hasHalf }: LensInUse,
): Trajectories {
  const of = [
    "curve",
    modelKey(model),
    kind,
    hasHalf,
    "conversation_id" in source ? source.conversation_id : null,
  ];
  const client = useQueryClient();
  const places = [
    ...new Map(wanted.map((place) => [keyOf(place.tokenId, place.position), place])).values(),
  ].filter(({ position }) => position < tokens.length);
  // A token's place in a distribution depends on what stands before it only, so nothing here ever changes.
  const results = useQueries({
    queries: places.map(({ tokenId, position }) => ({
      queryKey: [...of, textKey(tokens, position + 1), position, tokenId],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
        reader.read({ source, model, kind, hasHalf, tokenId, position }, signal),
      enabled: readable === "ready",
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: 10 * 60_000,
      retry: (attempts: number, cause: Error) =>
        cause instanceof ApiError && cause.code === "queue_full" && attempts < 5,
      retryDelay: 500,
    })),
  });

  const curves = new Map(
    places.map((place, i) => [
      keyOf(place.tokenId, place.position),
      results[i]?.data ??
        (kind === "logit" ? curveWithToken(tokens[place.position + 1], place.tokenId, hasHalf) : null),
    ]),
  );
  const missing = results.filter((result) => result.data === undefined);
  const failed = missing.find((result) => result.error !== null && !result.isFetching);
  return {
    curveOf: (tokenId, position) => curves.get(keyOf(tokenId, position)) ?? null,
    status:
      missing.length === 0
        ? "done"
        : readable !== "ready"
          ? readable
          : failed !== undefined
            ? "failed"
            : missing.some((result) => result.isFetching)
              ? "loading"
              : "cancelled",
    error: failed === undefined || failed.error === null ? null : asApiError(failed.error),
    cancel: () => void client.cancelQueries({ queryKey: of }),
    retry: () => {
      for (const result of missing) void result.refetch();
    },
  };
}
