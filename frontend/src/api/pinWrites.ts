/** Keeps pins with their conversations: those of one conversation one after the other, in the order of the changes. */
import type { PinnedIds } from "@/lib/pins";
import { changeConversation } from "./conversations";
import { ApiError } from "./errors";

/** A reply that was stopped is saved when the server notices it, a moment later. */
const RETRIES = 3;
const PAUSE_MS = 400;

/** By conversation, the last write; it never fails. */
const running = new Map<string, Promise<void>>();

export const isGone = (error: unknown): boolean =>
  error instanceof ApiError && error.code === "conversation_not_found";

/** With `isLeaving` at once and beyond the end of the page. */
export async function writePins(id: string, pins: PinnedIds, isLeaving: boolean): Promise<void> {
  if (isLeaving) return patch(id, pins, true);
  const writing = pinsWritten(id).then(() => patch(id, pins, false));
  const ended = writing.catch(() => undefined);
  running.set(id, ended);
  try {
    await writing;
  } finally {
    if (running.get(id) === ended) running.delete(id);
  }
}

/** Until what was pinned in this conversation has been written, or could not be. */
export const pinsWritten = (id: string): Promise<void> => running.get(id) ?? Promise.resolve();

async function patch(id: string, { token_ids, positions }: PinnedIds, keepalive: boolean): Promise<void> {
  const changes = { pins: { token_ids: token_ids.map((ids) => [...ids]), positions: [...positions] } };
  for (let left = keepalive ? 0 : RETRIES; ; left -= 1) {
    try {
      await changeConversation(id, changes, { keepalive });
      return;
    } catch (error) {
      if (left === 0 || !isGone(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
