import { isRange, notesOn, placeOf, placeWords, rangeWords } from "@/model/notes";
import type { Token } from "@/model/timeline";
import { IconButton } from "@/ui/Button";
import { useNotes } from "./notes";

interface TokenNotesProps {
  readonly token: Token;
  readonly tokens: readonly Token[];
}

/** The notes that concern one token: its own, those of ranges around it, and those on its layers. */
export function TokenNotes({ token, tokens }: TokenNotesProps) {
  const { notes, setDraft } = useNotes();
  const own = notesOn(notes, token.index);
  if (own.length === 0) return null;
  return (
    <ul
      aria-label="Notes on this token"
      className="max-h-16 shrink-0 space-y-1 overflow-y-auto border-b border-line px-3 py-1"
    >
      {own.map((note, i) => {
        const place = placeOf(note);
        const where = isRange(place)
          ? rangeWords(place)
          : place.layer === null
            ? null
            : place.layer === 0
              ? "embedding"
              : `layer ${place.layer}`;
        return (
          <li key={i} className="flex items-start gap-2 border-l-2 border-accent pl-2">
            <p dir="auto" className="min-w-0 flex-1 break-words whitespace-pre-line">
              {where !== null && <span className="mr-1.5 text-label text-muted">{where}</span>}
              {note.text}
            </p>
            <IconButton
              icon="edit"
              label={`Change the note on ${placeWords(place, tokens)}`}
              className="size-6"
              onClick={() => setDraft({ note })}
            />
          </li>
        );
      })}
    </ul>
  );
}
