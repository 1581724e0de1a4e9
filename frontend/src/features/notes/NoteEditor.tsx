import { type KeyboardEvent, useId, useRef, useState } from "react";
import { isOfInputMethod } from "@/base/composing";
import { useChat } from "@/features/chat/chat";
import { isHalf, layerName } from "@/model/layers";
import { useSelection } from "@/features/selection/selection";
import { formatCount } from "@/model/format";
import {
  MAX_NOTES,
  MAX_NOTE_CHARS,
  type NotePlace,
  countCharacters,
  isRange,
  keptText,
  noteAt,
  placeOf,
} from "@/model/notes";
import { Button, IconButton } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { InlineDialog } from "@/ui/InlineDialog";
import { Segmented } from "@/ui/Segmented";
import { type NoteDraft, useNotes } from "./notes";
import { PlaceText } from "./PlaceText";

/** From here on the number of characters is shown. */
const NEARLY_FULL = 0.9 * MAX_NOTE_CHARS;

interface NoteEditorProps {
  readonly draft: NoteDraft;
  /** Stands within the page, beside what the note is about, instead of over it. */
  readonly isInline: boolean;
}

/** A note being written or changed. It is mounted while it is open. */
export default function NoteEditor({ draft, isInline }: NoteEditorProps) {
  const { notes, change, remove, isDraftElsewhere, setDraft } = useNotes();
  const tokens = useChat(({ timeline }) => timeline.tokens);
  const { layer: selected } = useSelection();
  // A note is on whole layers only.
  const selectedLayer = selected === null || isHalf(selected) ? null : selected;
  const written = "note" in draft ? draft.note : null;
  const [place, setPlace] = useState<NotePlace>("note" in draft ? placeOf(draft.note) : draft.place);
  const [text, setText] = useState(written?.text ?? "");
  const [isAsking, setIsAsking] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();

  const kept = keptText(text);
  const nCharacters = countCharacters(kept);
  const problem = problemOf(
    place,
    isDraftElsewhere ? 0 : tokens.length,
    nCharacters,
    written === null ? notes.length : 0,
  );
  const canSave = problem === null && kept !== "";
  const isChanged = kept !== (written?.text ?? "");

  const onSave = (): void => {
    if (!canSave) return;
    const after = noteAt(place, kept);
    if (written === null || isChanged) change({ before: written, after });
    setDraft(null);
  };
  const onClose = (): void => {
    // Closing the question keeps the text.
    if (isAsking) goOn();
    else if (isChanged && kept !== "") setIsAsking(true);
    else setDraft(null);
  };
  const goOn = (): void => {
    setIsAsking(false);
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || isOfInputMethod(event.nativeEvent))
      return;
    event.preventDefault();
    onSave();
  };

  const Frame = isInline ? InlineDialog : Dialog;
  return (
    <Frame
      title={written === null ? "New note" : "Change the note"}
      isOpen
      onClose={onClose}
      initialFocus={field}
    >
      <div className="flex flex-wrap items-center justify-between gap-x-3">
        <p className="text-muted">
          on <PlaceText place={place} tokens={tokens} />
        </p>
        {written === null && (
          <PlaceChoice place={place} nTokens={tokens.length} layer={selectedLayer} onChange={setPlace} />
        )}
      </div>
      <textarea
        ref={field}
        value={text}
        rows={isInline ? 2 : 6}
        aria-label="Text of the note"
        aria-describedby={`${id}-hint`}
        aria-invalid={problem !== null}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
        className="mt-1 block w-full resize-y rounded-control border border-line-strong bg-surface px-2 py-1.5 text-ink aria-invalid:border-danger"
      />
      {isAsking ? (
        <div role="alert" className="mt-2 rounded-control bg-warn-soft p-2">
          <p>What you wrote is not saved.</p>
          <div className="mt-1.5 flex flex-wrap justify-end gap-2">
            <Button onClick={() => setDraft(null)}>Discard</Button>
            <Button onClick={goOn}>Keep editing</Button>
            <Button look="primary" disabled={!canSave} onClick={onSave}>
              Save
            </Button>
          </div>
        </div>
      ) : (
        <div className="mt-1.5 flex flex-wrap items-center justify-end gap-2">
          <p id={`${id}-hint`} className="mr-auto min-h-4 text-label text-muted">
            {problem !== null ? (
              <span className="text-danger">{problem}</span>
            ) : nCharacters > NEARLY_FULL ? (
              `${formatCount(nCharacters)} of ${formatCount(MAX_NOTE_CHARS)} characters`
            ) : (
              "Ctrl+Enter or ⌘+Enter saves it."
            )}
          </p>
          {written !== null && !isDraftElsewhere && (
            <Button
              look="quiet"
              icon="trash"
              onClick={() => {
                remove(written);
                setDraft(null);
              }}
            >
              Delete
            </Button>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" disabled={!canSave} onClick={onSave}>
            Save
          </Button>
        </div>
      )}
    </Frame>
  );
}

/** Why it cannot be saved as it is; null where it can. */
function problemOf({ end }: NotePlace, nTokens: number, nCharacters: number, nOthers: number): string | null {
  if (end > nTokens) return "These tokens are no longer there. Copy your text to keep it.";
  if (nOthers >= MAX_NOTES) {
    return `This branch has ${formatCount(MAX_NOTES)} notes, as many as it can hold. Delete one first.`;
  }
  if (nCharacters > MAX_NOTE_CHARS) {
    return `${formatCount(nCharacters)} characters; a note may have ${formatCount(MAX_NOTE_CHARS)}.`;
  }
  return null;
}

interface PlaceChoiceProps {
  readonly place: NotePlace;
  readonly nTokens: number;
  /** The layer that is selected on the page. */
  readonly layer: number | null;
  readonly onChange: (place: NotePlace) => void;
}

/** Whether the note is on the tokens or on a layer of them, and how many they are. */
function PlaceChoice({ place, nTokens, layer, onChange }: PlaceChoiceProps) {
  const { start, end } = place;
  const these = isRange(place) ? "These tokens" : "This token";
  return (
    <div className="flex flex-wrap items-center gap-x-3">
      {layer !== null && start > 0 && (
        <Segmented
          label="What the note is on"
          value={place.layer === null ? "tokens" : "layer"}
          options={[
            { value: "tokens", label: these },
            { value: "layer", label: `At ${layerName(layer)}` },
          ]}
          onChange={(chosen) => onChange({ ...place, layer: chosen === "layer" ? layer : null })}
        />
      )}
      <div role="group" aria-label="How many tokens" className="flex items-center text-label text-muted">
        <IconButton
          icon="minus"
          label="Shorten by one token"
          disabled={end - start <= 1}
          onClick={() => onChange({ ...place, end: end - 1 })}
        />
        <span className="min-w-16 text-center" aria-live="polite">
          {end - start === 1 ? "1 token" : `${end - start} tokens`}
        </span>
        <IconButton
          icon="plus"
          label="Extend by one token"
          disabled={end >= nTokens}
          onClick={() => onChange({ ...place, end: end + 1 })}
        />
      </div>
    </div>
  );
}
