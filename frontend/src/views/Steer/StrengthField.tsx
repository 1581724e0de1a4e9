import { useState } from "react";
import { MAX_STRENGTH } from "@/features/steering/choices";

interface StrengthFieldProps {
  readonly value: number;
  readonly onChange: (strength: number) => void;
}

const isStrength = (text: string): boolean =>
  text.trim() !== "" && Number.isFinite(Number(text)) && Math.abs(Number(text)) <= MAX_STRENGTH;

/** The strength as a number, which may be anything that the server takes. */
export function StrengthField({ value, onChange }: StrengthFieldProps) {
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <label className="flex items-center gap-1.5 text-muted">
      Strength
      <input
        type="number"
        step={0.05}
        value={draft ?? value}
        aria-invalid={draft !== null && !isStrength(draft)}
        title="A share of the length of each residual stream that is touched; negative pushes away"
        onChange={(event) => {
          setDraft(event.target.value);
          if (isStrength(event.target.value)) onChange(Number(event.target.value));
        }}
        onBlur={() => setDraft(null)}
        className="h-control w-20 rounded-control border border-line-strong bg-raised px-2 font-mono text-ink aria-invalid:border-danger"
      />
    </label>
  );
}
