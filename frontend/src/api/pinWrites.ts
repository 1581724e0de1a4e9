/** Keeps pins with their conversations: those of one conversation one after the other, in the order of the changes. */
import { type PinnedIds, pinsToKeep } from "@/lib/pins";
import { changeAnnotations } from "./annotations";
import { changeConversation } from "./conversations";
import { ApiError } from "./errors";

/** A reply that was stopped is saved when the server notices it, a moment later. */
const RETRIES = 3;
const PAUSE_MS = 400;

/** By conversation, the last write; it never fails. */
const running = new Map<string, Promise<void>>();

export const isGone = (error: unknown): boolean =>
  error instanceof ApiError && error.code === "conversation_not_found";

/** What is to be written: the pins of this page, and what it knows of those that the server holds. */
export interface PinWrite {
  readonly pins: PinnedIds;
  readonly saved: PinnedIds;
}

/** Keeps what another page has pinned meanwhile. */
export async function writePins(id: string, write: PinWrite): Promise<void> {
  const writing = pinsWritten(id).then(() => patch(id, write));
  const ended = writing.catch(() => undefined);
  running.set(id, ended);
  try {
    await writing;
  } finally {
    if (running.get(id) === ended) running.delete(id);
  }
}

/**
 * At once and beyond the end of the page. There is no time to read what another page has pinned, so
 * this replaces it: what was pinned last is what was seen last.
 */
export const writePinsLeaving = async (id: string, { pins }: PinWrite): Promise<void> => {
  await changeConversation(id, { pins: copied(pins) }, { keepalive: true });
};

/** Until what was pinned in this conversation has been written, or could not be. */
export const pinsWritten = (id: string): Promise<void> => running.get(id) ?? Promise.resolve();

const copied = ({ token_ids, positions }: PinnedIds) => ({
  token_ids: token_ids.map((ids) => [...ids]),
  positions: [...positions],
});

async function patch(id: string, { pins, saved }: PinWrite): Promise<void> {
  for (let left = RETRIES; ; left -= 1) {
    try {
      await changeAnnotations(id, (held) => ({
        changes: { pins: copied(pinsToKeep(pins, held.pins, saved)) },
      }));
      return;
    } catch (error) {
      if (left === 0 || !isGone(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}
