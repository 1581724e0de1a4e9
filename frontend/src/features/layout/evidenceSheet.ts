/** How much of a narrow screen the evidence takes: it shares the screen with the conversation, and gives way to writing. */
import { type FocusEvent, useCallback, useState } from "react";
import { useIsNarrow, useIsShort } from "@/ui/media";

export type SheetHeight = "closed" | "half" | "full";

/** Id of the text area where messages are written. */
export const COMPOSER_ID = "composer";

export interface EvidenceSheetState {
  readonly height: SheetHeight;
  readonly resize: (height: SheetHeight) => void;
  /** The composer has one line only, so that the room goes to what is read. */
  readonly isComposerSlim: boolean;
  /** To be put around the conversation: what has the focus there is never left below the sheet. */
  readonly follow: {
    readonly onFocus: (event: FocusEvent) => void;
    readonly onBlur: () => void;
  };
}

/**
 * The sheet opens with each newly selected token (`index`), except while a message is being written.
 * Where it hides the whole conversation it closes once no token is selected, or another conversation
 * is opened with none: what was just opened is seen.
 */
export function useEvidenceSheet(conversationId: string | null, index: number | null): EvidenceSheetState {
  const [height, resize] = useState<SheetHeight>("closed");
  const [isWriting, setWriting] = useState(false);
  const [seenIndex, setSeenIndex] = useState<number | null>(null);
  const [seenId, setSeenId] = useState(conversationId);
  const isNarrow = useIsNarrow();
  const isShort = useIsShort();
  if (index !== seenIndex || conversationId !== seenId) {
    setSeenIndex(index);
    setSeenId(conversationId);
    if (index === null) {
      // In a short window half is all of it.
      if (height === "full" || isShort) resize("closed");
    } else if (index !== seenIndex && height === "closed" && !isWriting) resize("half");
  }
  const onFocus = useCallback(
    ({ target }: FocusEvent) => {
      const writes = target.id === COMPOSER_ID;
      setWriting(writes);
      // A short window has no room for both: there half is all of it.
      if (writes || isShort) resize("closed");
      else resize((before) => (before === "full" ? "half" : before));
    },
    [isShort],
  );
  const onBlur = useCallback(() => setWriting(false), []);
  return {
    height,
    resize,
    isComposerSlim: isShort || (isNarrow && height !== "closed"),
    follow: { onFocus, onBlur },
  };
}
