/** Keeps pins with their conversations: those of one conversation one after the other, in the order of the changes. */
import { ApiError } from "@/base/errors";
import { changeAnnotations } from "@/features/library/annotations";
import { type SavedConversation, changeConversation } from "@/features/library/conversations";
import { type PinnedIds, idsBefore, pinsToKeep } from "./pins";

/** By conversation, the last write. Gives what this page has written last, null for nothing; never fails. */
const running = new Map<string, Promise<PinnedIds | null>>();

const hasCode = (error: unknown, code: string): boolean => error instanceof ApiError && error.code === code;

export const isGone = (error: unknown): boolean => hasCode(error, "conversation_not_found");

/** What is to be written: the pins of this page, and what it knows of those that the server holds. */
export interface PinWrite {
  readonly pins: PinnedIds;
  readonly saved: PinnedIds;
}

/** Keeps what another page has pinned meanwhile. Gives those of this page that were written. */
export async function writePins(id: string, { pins, saved }: PinWrite): Promise<PinnedIds> {
  const before = pinsWritten(id);
  // What was written while this one waited is known here too, and not another page's.
  const writing = before.then((written) =>
    patch(id, { pins, saved: written === null ? saved : union(saved, written) }),
  );
  const ended = writing.catch(() => before);
  running.set(id, ended);
  try {
    return await writing;
  } finally {
    if (running.get(id) === ended) running.delete(id);
  }
}

/**
 * At once and beyond the end of the page. There is no time to read what another page has pinned, so
 * this replaces it: what was pinned last is what was seen last.
 */
export const writePinsLeaving = async (id: string, { pins }: PinWrite): Promise<PinnedIds> => {
  await changeConversation(id, { pins: copied(pins) }, { keepalive: true });
  return pins;
};

/** Until what was pinned in this conversation has been written, or could not be. */
export const pinsWritten = (id: string): Promise<PinnedIds | null> =>
  running.get(id) ?? Promise.resolve(null);

const copied = ({ token_ids, positions }: PinnedIds) => ({
  token_ids: token_ids.map((ids) => [...ids]),
  positions: [...positions],
});

async function patch(id: string, { pins, saved }: PinWrite): Promise<PinnedIds> {
  const change = async (own: (held: SavedConversation) => PinnedIds): Promise<PinnedIds> => {
    const { written } = await changeAnnotations(id, (held) => {
      const here = own(held);
      return { written: here, changes: { pins: copied(pinsToKeep(here, held.pins, saved)) } };
    });
    return written;
  };
  try {
    return await change(() => pins);
  } catch (error) {
    if (!hasCode(error, "invalid_request")) throw error;
    // Positions in a reply that was stopped: its text is not stored yet, or never will be.
    return change((held) => idsBefore(pins, lengthOf(held)));
  }
}

const union = (a: PinnedIds, b: PinnedIds): PinnedIds => ({
  token_ids: [...a.token_ids, ...b.token_ids],
  positions: [...a.positions, ...b.positions],
});

/** How many tokens the server holds of a branch. */
const lengthOf = ({ id, branches }: SavedConversation): number =>
  branches.find((branch) => branch.id === id)?.n_tokens ?? 0;
