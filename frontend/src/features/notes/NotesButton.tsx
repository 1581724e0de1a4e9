import { Button } from "@/ui/Button";
import { useNotes } from "./notes";

export const NOTES_BUTTON_ID = "notes-button";

/** Opens and closes the list of the notes, and says how many there are. */
export function NotesButton() {
  const { notes, hasList, showList } = useNotes();
  return (
    <Button
      id={NOTES_BUTTON_ID}
      look="quiet"
      icon="note"
      className="px-2 max-md:px-1.5"
      aria-expanded={hasList}
      aria-label={notes.length === 0 ? "Notes" : `Notes ${notes.length}`}
      onClick={() => showList(!hasList)}
    >
      <span className="max-md:sr-only @max-[30rem]:sr-only">Notes</span>
      {notes.length > 0 && <span className="font-mono text-label">{notes.length}</span>}
    </Button>
  );
}
