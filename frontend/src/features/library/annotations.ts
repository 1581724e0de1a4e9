/** Changes of pins and notes, lists that are read, changed and written back: by several pages at once. */
import { ApiError } from "@/base/errors";
import { pause } from "@/base/pause";
import {
  type ConversationChanges,
  type SavedConversation,
  changeConversation,
  fetchConversation,
} from "./conversations";

/** Retries when other tabs write at the same time: one of them gets through each time. */
export const ATTEMPTS = 10;
/** What the server answers when it has not yet noticed that a reply was stopped, and stored it. */
const TOO_EARLY = ["conversation_not_found", "conflict", "invalid_request"];
export const EARLY_ATTEMPTS = 4;
const PAUSE_MS = 500;

interface Made {
  readonly changes: Pick<ConversationChanges, "pins" | "notes">;
}

/**
 * Changes what the server holds of a branch. `layOver` makes the change to what was read, and is asked
 * again when another page was faster: the server refuses a change to lists that are no longer current.
 * A reply that was stopped is waited for. Gives what `layOver` made the last time.
 */
export async function changeAnnotations<T extends Made>(
  branchId: string,
  layOver: (held: SavedConversation) => T,
): Promise<T> {
  const { signal } = new AbortController();
  for (let late = 1, early = 1; ;) {
    try {
      const held = await fetchConversation(branchId, false, signal);
      const made = layOver(held);
      await changeConversation(branchId, {
        ...made.changes,
        annotations_revision: held.annotations_revision,
      });
      return made;
    } catch (error) {
      const code = error instanceof ApiError ? error.code : "";
      if (code === "annotations_changed" && late < ATTEMPTS) late += 1;
      else if (TOO_EARLY.includes(code) && early < EARLY_ATTEMPTS) {
        early += 1;
        await pause(PAUSE_MS, signal);
      } else throw error;
    }
  }
}
