import { useCallback, useEffect } from "react";
import { useChat, useChatActions } from "@/features/chat/chat";
import type { ChatRequest } from "@/features/chat/stream";
import { useLibraryRefresh } from "@/features/library/library";
import { useServer } from "@/features/server/server";
import { useShortcuts } from "@/features/shortcuts/shortcuts";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import type { OtherText } from "./otherSide";
import type { BReply } from "./pair";
import type { PairSide } from "./pairSide";
import { replyRequest, replySampling, samplingOf } from "./replyRequest";
import { forgetReply, isUnderWay, stopReply, useReplyStatus, writeReply, writtenReply } from "./writtenReply";

export interface OwnReply {
  readonly isUnderWay: boolean;
  readonly isQueued: boolean;
  /** Why B cannot generate now; null where it can. */
  readonly refusedBecause: string | null;
  /** False: A's sampling settings are not known, so B cannot be sampled alike. */
  readonly canSample: boolean;
  readonly write: (text: OtherText, reply: BReply) => void;
  readonly stop: () => void;
  readonly retry: () => void;
  readonly take: () => void;
  readonly dismiss: () => void;
}

/** B's own reply to the changed prompt. Once it is complete, B is the conversation that holds it. */
export function useOwnReply(timeline: Timeline, model: ModelInfo | null, pair: PairSide): OwnReply {
  const mode = useChat((chat) => chat.mode);
  const isReplying = useChat(({ pending }) => pending !== null);
  const { phase, health } = useServer();
  const { keep } = useChatActions();
  const isUnkept = timeline.shipped === "readable" && timeline.conversationId === null;
  // B's reply is made like those of a saved conversation, and stands beside it.
  useEffect(() => {
    if (isUnkept) keep();
  }, [isUnkept, keep]);
  const refresh = useLibraryRefresh();
  const { facts, state } = pair;
  const { change } = state;
  const beside = timeline.conversationId;
  const status = useReplyStatus(beside);
  const isBusy = isUnderWay(status);
  const sampling = samplingOf(facts?.turns ?? [], timeline.tokens.length);
  // After Stop the facts stay those of before until they are read again.
  const nKnown = facts?.branches.find((branch) => branch.id === beside)?.n_tokens ?? 0;
  const isBehind = facts !== null && nKnown < timeline.tokens.length;
  const begin = (request: ChatRequest): void => {
    if (beside !== null) void writeReply(beside, request, () => void refresh());
  };
  const take = useCallback(() => {
    const written = writtenReply(beside);
    if (beside === null || written?.status !== "done") return;
    change({ vs: { kind: "saved", id: written.conversationId } });
    forgetReply(beside);
  }, [beside, change]);
  // If another B was picked meanwhile, keep it and offer this one.
  const isAwaited = pair.b.kind === "prompt";
  useEffect(() => {
    if (isAwaited && status === "done") take();
  }, [isAwaited, status, take]);
  const stop = (): void => {
    if (beside !== null) stopReply(beside);
  };
  useShortcuts(
    {},
    () => {
      // Escape ends A's reply first, as everywhere on the page.
      if (!isReplying) stop();
    },
    false,
  );
  return {
    isUnderWay: isBusy,
    isQueued: health !== null && health.queue.waiting > 0,
    refusedBecause: isBusy
      ? "B’s reply is being generated."
      : timeline.status !== "settled"
        ? "A’s reply is being generated."
        : model === null || (phase !== "ready" && phase !== "stalled")
          ? "The model is not ready."
          : facts === null || isBehind
            ? "The conversation is still being read."
            : null,
    canSample: facts === null || isBehind || sampling !== null,
    write: (text, reply) => {
      const nReply = timeline.tokens.length - (timeline.turns.at(-1)?.replyStart ?? timeline.tokens.length);
      const wanted = replySampling(reply, sampling, nReply);
      if (wanted !== null) begin(replyRequest(text, mode, wanted, model?.chat_template.stop ?? []));
    },
    stop,
    retry: () => {
      const written = writtenReply(beside);
      if (written !== null) begin(written.request);
    },
    take,
    dismiss: () => {
      if (beside !== null) forgetReply(beside);
    },
  };
}
