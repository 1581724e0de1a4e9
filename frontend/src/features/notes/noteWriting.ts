/** Beginning a note on what is selected: text of the conversation, else a range, else a token or a cell. */
import { useCallback } from "react";
import { useChatNow } from "@/features/chat/chat";
import { isHalf } from "@/model/layers";
import { useSelection } from "@/features/selection/selection";
import { selectedTokenSpan } from "@/features/selection/tokenSelection";
import type { NotePlace } from "@/model/notes";
import { useNotes } from "./notes";

/** Opens the editor; does nothing where nothing is selected. */
export function useBeginNote(): () => void {
  const { draft, setDraft } = useNotes();
  const chatNow = useChatNow();
  const { index, layer, range } = useSelection();
  return useCallback(() => {
    const span = selectedTokenSpan() ?? range;
    const place: NotePlace | null =
      span !== null
        ? { ...span, layer: null }
        : index !== null
          ? // Nothing predicted the first token, at no layer.
            {
              start: index,
              end: index + 1,
              layer: index === 0 || layer === null || isHalf(layer) ? null : layer,
            }
          : null;
    if (draft === null && place !== null && place.end <= chatNow().timeline.tokens.length)
      setDraft({ place });
  }, [draft, setDraft, index, layer, range, chatNow]);
}

/** Shows a note where it is: its token or tokens, and the layer; the view stays. */
export function useGoToNote(): (place: NotePlace) => void {
  const { select, extend } = useSelection();
  return useCallback(
    ({ start, end, layer }) => {
      if (layer === null) select(start);
      else select(start, layer);
      extend(end - start > 1 ? end - 1 : null);
    },
    [select, extend],
  );
}
