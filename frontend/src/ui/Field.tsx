import { type ReactNode, useId, useState } from "react";

interface NumberFieldProps {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** Only whole numbers are accepted. */
  readonly isWhole?: boolean;
  readonly hint: ReactNode;
  readonly onChange: (value: number) => void;
}

/**
 * A number with its bounds. While what is typed is no valid value it is kept and marked, and the
 * setting stays as it was; leaving the field brings the setting back into view.
 */
export function NumberField(props: NumberFieldProps) {
  const { label, value, min, max, step, isWhole = false, hint, onChange } = props;
  const [typed, setTyped] = useState<string | null>(null);
  const id = useId();
  const number = typed === null ? value : parseNumber(typed, min, max, isWhole);
  return (
    <div>
      <div className="flex items-center justify-between gap-3">
        <label htmlFor={id}>{label}</label>
        <input
          id={id}
          type="number"
          inputMode={isWhole ? "numeric" : "decimal"}
          value={typed ?? value}
          min={min}
          max={max}
          step={step}
          aria-invalid={number === null}
          aria-describedby={`${id}-hint`}
          onChange={(event) => {
            setTyped(event.target.value);
            const next = parseNumber(event.target.value, min, max, isWhole);
            if (next !== null) onChange(next);
          }}
          onBlur={() => setTyped(null)}
          className="h-control w-28 rounded-control border border-line-strong bg-surface px-2 text-right font-mono aria-invalid:border-danger"
        />
      </div>
      <p id={`${id}-hint`} className="text-label text-muted">
        {number === null ? (
          <span className="text-danger">
            {isWhole ? "A whole number" : "A number"} from {min} to {max}.
          </span>
        ) : (
          hint
        )}
      </p>
    </div>
  );
}

/** The number that a text stands for; null where it is none or out of bounds. */
function parseNumber(text: string, min: number, max: number, isWhole: boolean): number | null {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (Number.isNaN(number) || number < min || number > max) return null;
  return isWhole && !Number.isSafeInteger(number) ? null : number;
}
