import { useState } from "react";
import { MAX_TOP_K } from "./choices";

const isTopK = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= MAX_TOP_K;

interface TopKInputProps {
  readonly value: number;
  readonly onChange: (topK: number) => void;
}

/** A number field that may be empty or out of range while it is typed in. */
export function TopKInput({ value, onChange }: TopKInputProps) {
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <label className="flex items-center gap-1.5 text-muted">
      <span className="@max-[23rem]:sr-only">top-k</span>
      <input
        type="number"
        min={1}
        max={MAX_TOP_K}
        value={draft ?? value}
        aria-invalid={draft !== null && !isTopK(Number(draft))}
        title={`Predictions shown per layer, 1 to ${MAX_TOP_K}`}
        onChange={(event) => {
          setDraft(event.target.value);
          const next = Number(event.target.value);
          if (isTopK(next)) onChange(next);
        }}
        onBlur={() => setDraft(null)}
        className="h-control w-14 @max-[26rem]:w-11 rounded-control border border-line-strong bg-raised px-2 font-mono text-ink aria-invalid:border-danger"
      />
    </label>
  );
}
