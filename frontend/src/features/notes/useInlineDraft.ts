import { useState } from "react";
import { type NoteDraft, useNotes } from "./notes";

/**
 * Whether the draft is written within the evidence: where that is in view when the draft is begun. It stays
 * there until it is closed, since moving the editor would lose the text.
 */
export function useInlineDraft(isEvidenceInView: boolean): boolean {
  const { draft } = useNotes();
  const [seen, setSeen] = useState<{ readonly draft: NoteDraft | null; readonly isInline: boolean }>({
    draft: null,
    isInline: false,
  });
  if (draft === seen.draft) return seen.isInline;
  setSeen({ draft, isInline: isEvidenceInView });
  return isEvidenceInView;
}
