/** Changes of pins and notes, lists that are read, changed and written back: by several pages at once. */
import {
  type ConversationChanges,
  type SavedConversation,
  changeConversation,
  fetchConversation,
} from "./conversations";
import { ApiError } from "./errors";

/** Of pages that write at once one gets through each time, so this many pages need not be told. */
export const ATTEMPTS = 10;

interface Made {
  readonly changes: Pick<ConversationChanges, "pins" | "notes">;
}

/**
 * Changes what the server holds of a branch. `layOver` makes the change to what was read, and is asked
 * again when another page was faster: the server refuses a change to lists that are no longer current.
 * Gives what `layOver` made the last time.
 */
export async function changeAnnotations<T extends Made>(
  branchId: string,
  layOver: (held: SavedConversation) => T,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const held = await fetchConversation(branchId, false, new AbortController().signal);
    const made = layOver(held);
    try {
      await changeConversation(branchId, {
        ...made.changes,
        annotations_revision: held.annotations_revision,
      });
      return made;
    } catch (error) {
      const wasLate = error instanceof ApiError && error.code === "annotations_changed";
      if (!wasLate || attempt === ATTEMPTS) throw error;
    }
  }
}
