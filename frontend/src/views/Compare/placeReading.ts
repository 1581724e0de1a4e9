/** What every layer of any timeline predicts at one position, for a view that holds two of them. */
import { useQuery } from "@tanstack/react-query";
import { ApiError, asApiError } from "@/base/errors";
import { pause } from "@/base/pause";
import { modelKey } from "@/model/identity";
import type { LensInUse } from "@/model/lenses";
import { textKey } from "@/model/textKey";
import type { ModelIdentity, Token } from "@/model/timeline";
import { lane } from "@/reading/lens";
import { fetchLens, halfLayers } from "@/reading/requests";
import type { LensReadResponse } from "@/types/schemas";
import type { SideSource } from "@/features/pair/otherSide";

export interface PlacePrediction {
  readonly tokenId: number;
  readonly text: string;
  readonly probability: number;
}

/** One layer at the position. */
export interface PlaceLayer {
  readonly layer: number;
  readonly predictions: readonly PlacePrediction[];
  readonly entropyNats: number;
  /** Of the token that came; null at the end of the timeline. */
  readonly next: { readonly probability: number; readonly rank: number } | null;
}

export interface PlaceReading {
  /** Layer 0 first; null until it is read. */
  readonly layers: readonly PlaceLayer[] | null;
  readonly error: ApiError | null;
  readonly retry: () => void;
}

const N_PREDICTIONS = 5;
/** Debounce: positions that are passed over quickly are not read. */
const SETTLED_MS = 80;

/** One request at a time: both sides are asked for together, and the server lets few of one tab wait. */
let turn: Promise<unknown> = Promise.resolve();

function inTurn<T>(request: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const next = turn.then(() => {
    signal.throwIfAborted();
    return lane.first(request);
  });
  turn = next.catch(() => undefined);
  return next;
}

/** What is read: how the server knows it, its ids, and the model that computed it. */
export interface ReadSide {
  readonly source: SideSource;
  readonly tokens: readonly Token[];
  readonly model: ModelIdentity | null;
}

/** Nothing is asked for while `position` is null or the model is busy. */
export function usePlaceReading(
  { source, tokens, model }: ReadSide,
  { kind, hasHalf }: LensInUse,
  position: number | null,
  isSettled: boolean,
): PlaceReading {
  const { data, error, refetch, isFetching } = useQuery({
    // With the token that follows: it is a part of what is read.
    queryKey: [
      "place",
      modelKey(model),
      kind,
      hasHalf,
      source,
      textKey(tokens, (position ?? 0) + 2),
      position,
    ],
    queryFn: async ({ signal }) => {
      await pause(SETTLED_MS, signal);
      const at = position ?? 0;
      return inTurn(
        () =>
          fetchLens(
            {
              ...source,
              kind,
              ...halfLayers(hasHalf),
              positions: [at, at + 1],
              top_k: N_PREDICTIONS,
              include_tokens: false,
            },
            model,
            signal,
          ),
        signal,
      );
    },
    enabled: isSettled && position !== null,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10 * 60_000,
    retry: (attempts, cause) => cause instanceof ApiError && cause.code === "queue_full" && attempts < 5,
    retryDelay: 500,
  });
  return {
    layers: data === undefined || position === null ? null : layersOf(data),
    error: error === null || isFetching ? null : asApiError(error),
    retry: () => void refetch(),
  };
}

function nextOf({ next_probability, next_rank }: LensReadResponse, layer: number): PlaceLayer["next"] {
  const [probability, rank] = [next_probability[layer]?.[0] ?? null, next_rank[layer]?.[0] ?? null];
  return probability === null || rank === null ? null : { probability, rank };
}

const layersOf = (response: LensReadResponse): PlaceLayer[] =>
  response.layers.map((layer, row) => ({
    layer,
    predictions: (response.top_ids[row]?.[0] ?? []).map((tokenId, rank) => ({
      tokenId,
      text: response.vocabulary[String(tokenId)] ?? "",
      probability: response.top_probabilities[row]?.[0]?.[rank] ?? Number.NaN,
    })),
    entropyNats: response.entropy_nats[row]?.[0] ?? Number.NaN,
    next: nextOf(response, row),
  }));
