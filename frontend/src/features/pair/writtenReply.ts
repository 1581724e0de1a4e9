/**
 * B's own reply: the chat route writes it into a conversation of its own, while A stays on the page.
 * Kept beside the view, so that looking at another view or another conversation does not end it.
 */
import { create } from "zustand";
import { ApiError } from "@/base/errors";
import { pause } from "@/base/pause";
import { type ChatRequest, streamChat } from "@/features/chat/stream";
import { fetchConversation } from "@/features/library/conversations";
import type { Token } from "@/model/timeline";

interface Written {
  readonly request: ChatRequest;
  /** Of the conversation that is written; null until the server has begun it. */
  readonly conversationId: string | null;
  readonly reply: readonly Token[];
}

export type WrittenReply =
  /** `saving`: stopped, and what was written is on its way to the disk. */
  | (Written & { readonly status: "sent" | "reading" | "writing" | "saving" })
  /** Nothing was written, and as far as the page can know nothing is saved. */
  | (Written & { readonly status: "stopped" })
  | (Written & { readonly status: "failed"; readonly cause: unknown })
  | (Written & { readonly status: "done"; readonly conversationId: string });

/** A stopped reply is saved when the server notices that the connection is closed: a moment later. */
const SAVING_MS = 400;
const SAVING_ATTEMPTS = 5;

/** By the conversation beside which each is written. */
type Replies = Readonly<Record<string, WrittenReply | null>>;
const useReplies = create<Replies>()(() => ({}));
const controllers = new Map<string, AbortController>();

const replyBeside = (replies: Replies, beside: string | null): WrittenReply | null =>
  beside === null ? null : (replies[beside] ?? null);

const put = (beside: string, reply: WrittenReply | null): void => useReplies.setState({ [beside]: reply });

/** What is being written, or was, beside a conversation; null where nothing is. */
export const useWrittenReply = (beside: string | null): WrittenReply | null =>
  useReplies((replies) => replyBeside(replies, beside));

/** Only how it stands: this changes a few times, the reply with every token. */
export const useReplyStatus = (beside: string | null): WrittenReply["status"] | null =>
  useReplies((replies) => replyBeside(replies, beside)?.status ?? null);

/** What it is at this moment, for who acts on it. */
export const writtenReply = (beside: string | null): WrittenReply | null =>
  replyBeside(useReplies.getState(), beside);

export const isUnderWay = (status: WrittenReply["status"] | null): boolean =>
  status !== null && ["sent", "reading", "writing", "saving"].includes(status);

/** Asks for a reply; one that is under way beside the same conversation is left to end. `onEnd` is called once it has ended. */
export async function writeReply(beside: string, request: ChatRequest, onEnd: () => void): Promise<void> {
  if (isUnderWay(writtenReply(beside)?.status ?? null)) return;
  const controller = new AbortController();
  const { signal } = controller;
  controllers.set(beside, controller);
  let written: Written = { request, conversationId: null, reply: [] };
  put(beside, { ...written, status: "sent" });
  try {
    for await (const event of streamChat(request, signal)) {
      if (signal.aborted) break;
      if (event.type === "start") {
        written = { ...written, conversationId: event.conversation_id };
        put(beside, { ...written, status: "reading" });
      } else if (event.type === "token") {
        written = { ...written, reply: [...written.reply, event.token] };
        put(beside, { ...written, status: "writing" });
      } else if (event.type === "done" && written.conversationId !== null) {
        put(beside, { ...written, conversationId: written.conversationId, status: "done" });
      }
    }
    if (signal.aborted) await settleStopped(beside, written);
  } catch (cause) {
    if (signal.aborted) await settleStopped(beside, written);
    else put(beside, { ...written, status: "failed", cause });
  }
  // Another may have begun since this one was done.
  if (controllers.get(beside) === controller) controllers.delete(beside);
  onEnd();
}

/** Ends the writing; what was written stays, as a conversation that was stopped. */
export const stopReply = (beside: string): void => controllers.get(beside)?.abort();

/** Puts away what has ended. */
export function forgetReply(beside: string): void {
  if (!isUnderWay(writtenReply(beside)?.status ?? null)) put(beside, null);
}

/** The page may have seen fewer tokens than the server sent: only the server knows whether it kept any. */
async function settleStopped(beside: string, written: Written): Promise<void> {
  const { conversationId } = written;
  if (conversationId === null) {
    put(beside, { ...written, status: "stopped" });
    return;
  }
  put(beside, { ...written, status: "saving" });
  const { signal } = new AbortController();
  for (let attempt = 1; ; attempt += 1) {
    await pause(SAVING_MS, signal);
    try {
      await fetchConversation(conversationId, false, signal);
      put(beside, { ...written, conversationId, status: "done" });
      return;
    } catch (cause) {
      const isMissing = cause instanceof ApiError && cause.code === "conversation_not_found";
      if (isMissing && attempt < SAVING_ATTEMPTS) continue;
      put(
        beside,
        isMissing && written.reply.length === 0
          ? { ...written, status: "stopped" }
          : { ...written, status: "failed", cause },
      );
      return;
    }
  }
}
