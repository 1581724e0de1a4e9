import { useId, useState } from "react";
import type { FitLensRequest } from "@/types/schemas";
import { Button } from "@/ui/Button";
import { NumberField } from "@/ui/Field";
import { Segmented } from "@/ui/Segmented";

const LENSES = [
  {
    value: "tuned",
    label: "Tuned",
    hint: "One affine map a layer, fitted to come near the model’s own output",
  },
  { value: "jacobian", label: "Jacobian", hint: "The average effect of a layer on the last one" },
] as const;

const MEANINGS = {
  tuned: "One affine map a layer, fitted to come near the model’s own output.",
  jacobian:
    "The average derivative of the last layer by each layer below. It takes as many passes for each 128 tokens as the model is wide, and one such sequence at least, whatever the time.",
} as const;

const SOURCES = [
  { value: "sample", label: "Sample", hint: "Passages about the countries of the world, in English" },
  { value: "text", label: "File", hint: "A text file of your own" },
  { value: "conversations", label: "Conversations", hint: "What was said in the saved conversations" },
] as const;

const MAX_CHARS = 3_000_000;

interface FitFormProps {
  readonly isStarting: boolean;
  readonly onStart: (request: FitLensRequest) => void;
}

/** Which text a lens is fitted to, and for how long. */
export function FitForm({ isStarting, onStart }: FitFormProps) {
  const [lens, setLens] = useState<(typeof LENSES)[number]["value"]>("tuned");
  const [source, setSource] = useState<(typeof SOURCES)[number]["value"]>("sample");
  const [minutes, setMinutes] = useState(10);
  const [file, setFile] = useState<{ readonly name: string; readonly text: string } | null>(null);
  const id = useId();
  const isTooLong = (file?.text.length ?? 0) > MAX_CHARS;
  const isReady = source !== "text" || (file !== null && file.text !== "" && !isTooLong);
  const start = (): void => {
    const text = source === "text" ? { source, name: file?.name ?? "", text: file?.text ?? "" } : { source };
    onStart({ kind: "fit_lens", lens, seconds: 60 * minutes, text });
  };
  return (
    <form
      noValidate
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <p className="text-muted">{MEANINGS[lens]} A fifth of the text is held out and judges it at the end.</p>
      <Segmented label="Lens" value={lens} options={LENSES} onChange={setLens} />
      <Segmented label="Text" value={source} options={SOURCES} onChange={setSource} />
      {source === "text" && (
        <div>
          <label htmlFor={id}>Text file</label>
          <input
            id={id}
            type="file"
            accept=".txt,.md,text/plain"
            className="block w-full"
            onChange={({ target }) => {
              const chosen = target.files?.[0];
              setFile(null);
              void chosen?.text().then((text) => setFile({ name: chosen.name, text }));
            }}
          />
          <p className="text-label text-muted">
            {isTooLong
              ? "At most 3,000,000 characters."
              : "100,000 characters or more; documents may end with a line <|endoftext|>."}
          </p>
        </div>
      )}
      <NumberField
        label="Minutes"
        value={minutes}
        min={0.1}
        max={1440}
        step={1}
        hint="Of computing. Replies go first; it can be paused, and goes on after the server was ended."
        onChange={setMinutes}
      />
      <Button look="primary" type="submit" disabled={isStarting || !isReady}>
        Fit the lens
      </Button>
    </form>
  );
}
