import { useState } from "react";
import type { ApiError } from "@/base/errors";
import { FailedNotice } from "@/ui/FailedNotice";
import { UndoNotice } from "@/ui/UndoNotice";
import { useNotes } from "./notes";

/** What became of the last change: a note that was deleted, with the way back, or one that is not saved. */
export function NoteNotices() {
  const { failure, retry, removed, bringBack, forgetRemoved } = useNotes();
  const [dismissed, setDismissed] = useState<ApiError | null>(null);
  const isFailed = failure !== null && failure !== dismissed;
  if (!isFailed && removed === null) return null;
  return (
    <div className="mb-2 space-y-2">
      {removed !== null && (
        <UndoNotice
          text={`Deleted the note “${removed.text}”`}
          onUndo={bringBack}
          onDismiss={forgetRemoved}
        />
      )}
      {isFailed && (
        <FailedNotice
          what="Your notes are not saved yet; they stay on this page."
          error={failure}
          onRetry={retry}
          onDismiss={() => setDismissed(failure)}
        />
      )}
    </div>
  );
}
