import { useCallback, useEffect } from "react";
import { useChat } from "@/features/chat/chat";
import type { ChatRequest } from "@/features/chat/stream";
import type { SavedConversation } from "@/features/library/conversations";
import { useLibraryRefresh } from "@/features/library/library";
import { useServer } from "@/features/server/server";
import { useShortcuts } from "@/features/shortcuts/shortcuts";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import type { CompareState, OtherKind } from "./choices";
import type { OtherText } from "./otherSide";
import { replyRequest, samplingOf } from "./replyRequest";
import { forgetReply, isUnderWay, stopReply, useReplyStatus, writeReply, writtenReply } from "./writtenReply";

interface ReplyWritingParts {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
  /** Null until they are read. */
  readonly facts: SavedConversation | null;
  readonly kind: OtherKind;
  readonly change: CompareState["change"];
}

export interface OwnReply {
  readonly isUnderWay: boolean;
  readonly isQueued: boolean;
  /** Why none can be written now; null where one can. */
  readonly refusedBecause: string | null;
  /** Nothing that could be waited for will change that. */
  readonly isForGood: boolean;
  readonly write: (text: OtherText) => void;
  readonly stop: () => void;
  readonly retry: () => void;
  readonly take: () => void;
  readonly dismiss: () => void;
}

/** B's own reply to the other prompt. Once it is written, B is the conversation that holds it. */
export function useReplyWriting({ timeline, model, facts, kind, change }: ReplyWritingParts): OwnReply {
  const mode = useChat((chat) => chat.mode);
  const isReplying = useChat(({ pending }) => pending !== null);
  const { phase, health } = useServer();
  const refresh = useLibraryRefresh();
  const beside = timeline.conversationId;
  const status = useReplyStatus(beside);
  const isBusy = isUnderWay(status);
  const sampling = samplingOf(facts?.turns ?? [], timeline.tokens.length);
  // What was known before stays until it is read again; after Stop that takes a moment.
  const nKnown = facts?.branches.find((branch) => branch.id === beside)?.n_tokens ?? 0;
  const isBehind = facts !== null && nKnown < timeline.tokens.length;
  const begin = (request: ChatRequest): void => {
    if (beside !== null) void writeReply(beside, request, () => void refresh());
  };
  const take = useCallback(() => {
    const written = writtenReply(beside);
    if (beside === null || written?.status !== "done") return;
    change({ other: "saved", savedId: written.conversationId });
    forgetReply(beside);
  }, [beside, change]);
  // Who has chosen another B meanwhile keeps it, and is told.
  useEffect(() => {
    if (kind === "prompt" && status === "done") take();
  }, [kind, status, take]);
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
      ? "B’s reply is being written."
      : timeline.status !== "settled"
        ? "A’s reply is being written."
        : phase !== "ready" && phase !== "stalled"
          ? "The model is not ready."
          : facts === null || isBehind
            ? "The conversation is still being read."
            : sampling === null
              ? "It is not known how A’s reply was sampled, so B’s cannot be written alike."
              : null,
    isForGood: facts !== null && !isBehind && timeline.status === "settled" && sampling === null,
    write: (text) => {
      if (sampling !== null) begin(replyRequest(text, mode, sampling, model.chat_template.stop));
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
