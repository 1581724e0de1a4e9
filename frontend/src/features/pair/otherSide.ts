/** The timeline that stands beside the conversation on the page, with the exact ids that it has. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ApiError, asApiError } from "@/base/errors";
import { fetchConversation } from "@/features/library/conversations";
import { isSameModel, modelKey } from "@/model/identity";
import type { ModelIdentity, Steering, Timeline, Token } from "@/model/timeline";
import type { ReadState, ReadStatus } from "@/reading/readState";
import { lane } from "@/reading/lens";
import { readability } from "@/reading/readability";
import { fetchLens } from "@/reading/requests";
import type { LensReadRequest } from "@/types/schemas";

/** A text that was never sent: the model's template renders messages, a prompt is taken as it is. */
export type OtherText = Pick<LensReadRequest, "prompt" | "messages" | "bos">;

export type OtherRequest =
  | { readonly kind: "conversation"; readonly id: string }
  | { readonly kind: "text"; readonly text: OtherText }
  /** The conversation on the page itself. */
  | { readonly kind: "same" };

/** How a timeline is named to the server: a text by the ids that it was split into, never by its text again. */
export type SideSource = { readonly conversation_id: string } | { readonly token_ids: number[] };

export interface OtherSide {
  readonly source: SideSource;
  readonly tokens: readonly Token[];
  /** The model that computed it. */
  readonly model: ModelIdentity | null;
  /** Of a saved conversation; null for every other timeline. */
  readonly title: string | null;
  /** What it was computed under; left out for the plain model. */
  readonly steering?: Steering;
}

/** `none`: nothing is chosen yet. */
export interface OtherSideRead extends ReadState<Exclude<ReadStatus, "cancelled">> {
  readonly side: OtherSide | null;
}

export function useOtherSide(timeline: Timeline, request: OtherRequest | null): OtherSideRead {
  const { conversationId, model, tokens, steering } = timeline;
  const readable = readability(timeline);
  const isAsked = request !== null && request.kind !== "same";
  const { data, error, refetch, isFetching } = useQuery({
    queryKey: ["other side", modelKey(model), request],
    queryFn: ({ signal }) => {
      if (request === null || request.kind === "same") throw new Error("there is nothing to ask for");
      return request.kind === "conversation"
        ? readConversation(request.id, model, signal)
        : readText(request.text, model, signal);
    },
    enabled: readable === "ready" && isAsked,
    // A text keeps its ids; a conversation may have been continued since.
    staleTime: request?.kind === "text" ? Number.POSITIVE_INFINITY : 0,
    refetchOnWindowFocus: false,
    retry: (attempts, cause) => cause instanceof ApiError && cause.code === "queue_full" && attempts < 5,
    retryDelay: 500,
  });
  const own = useMemo<OtherSide | null>(
    () =>
      conversationId === null
        ? null
        : {
            source: { conversation_id: conversationId },
            tokens,
            model,
            title: null,
            ...(steering === undefined ? {} : { steering }),
          },
    [conversationId, tokens, model, steering],
  );
  const retry = (): void => void refetch();
  const read = (side: OtherSide | null, at: OtherSideRead["status"]): OtherSideRead => ({
    side,
    status: at,
    error: null,
    retry,
  });
  if (request === null) return read(null, "none");
  if (request.kind === "same")
    return read(own, own !== null ? "done" : readable === "ready" ? "loading" : readable);
  if (data !== undefined) return read(data, "done");
  if (error !== null && !isFetching) return { ...read(null, "failed"), error: asApiError(error) };
  return read(null, readable === "ready" ? "loading" : readable);
}

async function readConversation(
  id: string,
  model: ModelIdentity | null,
  signal: AbortSignal,
): Promise<OtherSide> {
  const saved = await fetchConversation(id, true, signal);
  if (!saved.is_readable || !isSameModel(saved.model, model)) {
    throw new ApiError({
      code: "model_mismatch",
      message: `“${saved.title}” was created with the model ${saved.model.name} and requires that model.`,
      hint: "Choose a conversation of the model that runs.",
    });
  }
  return {
    source: { conversation_id: id },
    tokens: saved.tokens,
    model,
    title: saved.title,
    ...(saved.steering === null ? {} : { steering: saved.steering }),
  };
}

/** One layer at one position is read, because the ids come with it. */
async function readText(
  text: OtherText,
  model: ModelIdentity | null,
  signal: AbortSignal,
): Promise<OtherSide> {
  const { tokens } = await lane.first(() =>
    fetchLens({ ...text, layers: [0], positions: [0, 1], top_k: 1, include_tokens: true }, model, signal),
  );
  return { source: { token_ids: tokens.map((token) => token.id) }, tokens, model, title: null };
}
