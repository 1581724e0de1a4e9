/** What can be done with the conversations of the list. */
import { useMemo, useState } from "react";
import { download, fileName, jsonBlob } from "@/base/download";
import { useAttempts } from "@/ui/attempt";
import {
  type ConversationSummary,
  changeConversation,
  deleteConversation,
  duplicateConversation,
  exportConversation,
  importConversation,
  restoreConversation,
} from "./conversations";
import { useLibraryRefresh } from "./library";

export interface LibraryActions {
  readonly rename: (conversation: ConversationSummary, title: string) => void;
  readonly duplicate: (conversation: ConversationSummary) => void;
  readonly exportFile: (conversation: ConversationSummary) => void;
  readonly remove: (conversation: ConversationSummary) => void;
  readonly undo: (conversation: ConversationSummary) => void;
  readonly importFile: (file: File) => void;
  readonly forgetDeleted: () => void;
}

interface Listeners {
  /** Where the page is now; changes when the person goes on to something else. */
  readonly here: () => string;
  /** A conversation that was made or brought back, to be shown. */
  readonly onOpen: (id: string) => void;
  readonly onDeleted: (wholeId: string) => void;
}

/** Each act is on the conversation that it was asked for; what comes of it is shown only to who has waited. */
export function useLibraryActions({ here, onOpen, onDeleted }: Listeners) {
  const { failed, attempt, dismiss } = useAttempts();
  const [deleted, setDeleted] = useState<ConversationSummary | null>(null);
  const refresh = useLibraryRefresh();
  const actions = useMemo<LibraryActions>(() => {
    const show = async (made: Promise<{ readonly id: string }>): Promise<void> => {
      const asked = here();
      const { id } = await made;
      if (here() === asked) onOpen(id);
    };
    return {
      rename: ({ id }, title) =>
        attempt("Could not rename the conversation.", async () => {
          await changeConversation(id, { title });
          await refresh();
        }),
      duplicate: ({ id }) =>
        attempt("Could not duplicate the conversation.", async () => {
          await show(duplicateConversation(id));
          await refresh();
        }),
      exportFile: ({ id, title }) =>
        attempt("Could not export the conversation.", async () =>
          download(fileName(title), jsonBlob(await exportConversation(id))),
        ),
      remove: (conversation) =>
        attempt("Could not delete the conversation.", async () => {
          await deleteConversation(conversation.id);
          setDeleted(conversation);
          onDeleted(conversation.conversation_id);
          await refresh("gone");
        }),
      undo: ({ id }) =>
        attempt("Could not restore the conversation.", async () => {
          await show(restoreConversation(id));
          setDeleted(null);
          await refresh();
        }),
      importFile: (file) =>
        attempt("Could not import the file.", async () => {
          await show(importConversation(file));
          await refresh();
        }),
      forgetDeleted: () => setDeleted(null),
    };
  }, [attempt, refresh, here, onOpen, onDeleted]);
  return { actions, deleted, failed, dismiss };
}
