import { useRef, useState } from "react";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import { ChangedText } from "@/features/pair/ChangedText";
import { cellText } from "@/model/tokens";
import { Button } from "@/ui/Button";
import type { DonorState } from "./useDonor";

/** Which other prompt a part is resampled from: the message with words changed, and once it is chosen one line about it. */
export default function DonorChoice({ own, proposed, text, choose, reading, donor }: DonorState) {
  const [draft, setDraft] = useState(text ?? proposed);
  // The text with the word as it is being typed, until that word is left.
  const typing = useRef<string | null>(null);
  const resample = (wanted: string): void => {
    setDraft(wanted);
    if (wanted.trim() !== "") choose(wanted);
  };
  if (text === null) {
    return (
      <div className="flex max-w-3xl py-1">
        <ChangedText
          wordsLabel="From this message: press a word to replace it"
          textLabel="From this message"
          own={own}
          draft={draft}
          canOffer
          onDraft={setDraft}
          onTyping={(typed) => {
            typing.current = typed;
          }}
          onRun={resample}
        >
          <Button
            look="primary"
            disabled={draft.trim() === ""}
            // Leaving the word would close it and move what stands below, this button too, before the click.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => resample(typing.current ?? draft)}
          >
            Resample
          </Button>
        </ChangedText>
      </div>
    );
  }
  const from = donor?.tokens.at(-1);
  return (
    <>
      <p className="flex min-w-0 items-center gap-2">
        <span className="min-w-0 truncate">
          <span className="text-muted">from</span> <span className="font-medium">{text}</span>
          {from !== undefined && (
            <span className="text-muted">
              , at <span className="font-mono">{`“${cellText(from)}”`}</span>, index {from.index}
            </span>
          )}
        </span>
        <Button
          look="quiet"
          className="shrink-0 px-2"
          onClick={() => {
            setDraft(text);
            choose(null);
          }}
        >
          Change
        </Button>
      </p>
      <ReadingFrame reading={reading} what="The tokens of that message" hasData={donor !== null}>
        {donor === null ? (
          <p role="status" className="text-muted">
            Reading…
          </p>
        ) : donor.isSame ? (
          <p role="status" className="text-muted">
            Up to this token that text is this one, so nothing would change. Change a word of the message.
          </p>
        ) : null}
      </ReadingFrame>
    </>
  );
}
