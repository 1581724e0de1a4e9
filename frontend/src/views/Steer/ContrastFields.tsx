import { useState } from "react";
import type { ContrastTexts } from "@/features/steering/contrastTexts";
import { Button } from "@/ui/Button";

interface ContrastFieldsProps {
  readonly texts: ContrastTexts;
  readonly onChange: (texts: ContrastTexts) => void;
}

/** The server's bound. */
const MAX_LENGTH = 4000;

/** Two texts whose last tokens give a direction; it is read when both are there and Use is pressed. */
export function ContrastFields({ texts, onChange }: ContrastFieldsProps) {
  const [draft, setDraft] = useState(texts);
  const isComplete = draft.plus.trim() !== "" && draft.minus.trim() !== "";
  return (
    <form
      className="grid items-end gap-2 @min-[34rem]:grid-cols-[1fr_1fr_auto]"
      onSubmit={(event) => {
        event.preventDefault();
        if (isComplete) onChange(draft);
      }}
    >
      {(["plus", "minus"] as const).map((side) => (
        <label key={side} className="min-w-0 text-cell text-muted">
          {side === "plus" ? "Towards the end of this text" : "Away from the end of this text"}
          <input
            type="text"
            dir="auto"
            maxLength={MAX_LENGTH}
            value={draft[side]}
            placeholder={side === "plus" ? "I love this." : "I hate this."}
            onChange={(event) => setDraft({ ...draft, [side]: event.target.value })}
            className="h-control w-full rounded-control border border-line-strong bg-surface px-2 text-ink placeholder:text-quiet"
          />
        </label>
      ))}
      <Button type="submit" disabled={!isComplete}>
        Use
      </Button>
    </form>
  );
}
