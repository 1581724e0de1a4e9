import { type KeyboardEvent, useEffect, useRef } from "react";
import { useChat } from "@/features/chat/chat";
import { useSelection } from "@/features/selection/selection";
import { formatCount } from "@/model/format";
import { MAX_NOTES, type Note, placeOf, placeWords } from "@/model/notes";
import { Button, IconButton } from "@/ui/Button";
import { useNotes } from "./notes";
import { NOTES_BUTTON_ID } from "./NotesButton";
import { useBeginNote, useGoToNote } from "./noteWriting";
import { PlaceText } from "./PlaceText";

/** All notes of the branch, by position: the way to each, and what can be done with it. */
export default function NotesPanel() {
  const tokens = useChat(({ timeline }) => timeline.tokens);
  const { notes, isDeferred, failure, remove, setDraft, showList } = useNotes();
  const { index } = useSelection();
  const begin = useBeginNote();
  const goTo = useGoToNote();
  const panel = useRef<HTMLElement>(null);
  useEffect(() => panel.current?.focus(), []);
  const close = (): void => {
    showList(false);
    document.getElementById(NOTES_BUTTON_ID)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
  };
  const onRemove = (note: Note): void => {
    remove(note);
    panel.current?.focus(); // its button goes with it
  };
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape closes it from anywhere inside
    <section
      ref={panel}
      tabIndex={-1}
      aria-label="Notes"
      onKeyDown={onKeyDown}
      className="flex max-h-64 shrink-0 flex-col border-b border-line focus-visible:-outline-offset-2 max-md:max-h-[16dvh] max-md:min-h-10 max-md:shrink max-md:overflow-y-auto"
    >
      <div className="flex items-center gap-2 px-3 py-1 md:px-4">
        <p role="status" className="min-w-0 flex-1 truncate text-muted">
          {notes.length === 0 ? "No notes yet" : notes.length === 1 ? "1 note" : `${notes.length} notes`}
          {notes.length >= MAX_NOTES && `, as many as a branch can hold (${formatCount(MAX_NOTES)})`}
          {isDeferred && " · saved when the reply has ended"}
          {failure !== null && " · not saved"}
        </p>
        <Button
          icon="plus"
          className="px-2"
          title={index === null ? "Select a token, or some text, first" : "Key n"}
          // Pressing it must not take away the selection of text that it is about.
          onMouseDown={(event) => event.preventDefault()}
          onClick={begin}
        >
          Add
        </Button>
        <IconButton icon="close" label="Close the notes" onClick={close} />
      </div>
      {notes.length === 0 ? (
        <p className="px-3 pb-2 text-muted md:px-4">
          Select a token and press <kbd className="font-mono">n</kbd>, or Note beside it. Shift and a click on
          another token make a range; a selected layer makes it a note on one cell.
        </p>
      ) : (
        <ul className="min-h-0 overflow-y-auto px-1 pb-1 md:px-2">
          {notes.map((note, i) => {
            const place = placeOf(note);
            const words = placeWords(place, tokens);
            return (
              <li key={i} className="flex items-start gap-1 rounded-control hover:bg-hover">
                <button
                  type="button"
                  onClick={() => goTo(place)}
                  className="min-w-0 flex-1 rounded-control px-2 py-1 text-left"
                >
                  <span className="block truncate text-label text-muted">
                    <PlaceText place={place} tokens={tokens} />
                  </span>
                  <span dir="auto" className="line-clamp-2 break-words whitespace-pre-line">
                    {note.text}
                  </span>
                </button>
                <IconButton
                  icon="edit"
                  label={`Change the note on ${words}`}
                  onClick={() => setDraft({ note })}
                />
                <IconButton
                  icon="trash"
                  label={`Delete the note on ${words}`}
                  onClick={() => onRemove(note)}
                />
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
