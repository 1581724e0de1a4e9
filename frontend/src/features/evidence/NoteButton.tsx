import { useBeginNote } from "@/features/notes/noteWriting";
import { Button } from "@/ui/Button";

/** Begins a note on what is selected. */
export function NoteButton() {
  const beginNote = useBeginNote();
  return (
    <Button
      look="quiet"
      icon="note"
      isStacked
      title="Write a note (n)"
      // Pressing it must not take away the selection of text that it is about.
      onMouseDown={(event) => event.preventDefault()}
      onClick={beginNote}
    >
      <span className="md:@max-2xl:sr-only">Note</span>
    </Button>
  );
}
