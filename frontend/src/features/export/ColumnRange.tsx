import { useId, useState } from "react";
import type { Span } from "@/base/span";
import { Button } from "@/ui/Button";
import type { FigureColumns } from "./viewExport";

interface ColumnRangeProps {
  readonly columns: FigureColumns;
  readonly value: Span;
  readonly onChange: (value: Span) => void;
}

const INPUT =
  "h-8 w-20 rounded-control border border-line-strong bg-surface px-2 text-right font-mono aria-invalid:border-danger";

/** From which column to which the figure goes, both of them included. */
export function ColumnRange({ columns: { of, all, shown }, value, onChange }: ColumnRangeProps) {
  const [typed, setTyped] = useState<{ readonly from: string; readonly to: string } | null>(null);
  const id = useId();
  const texts = typed ?? { from: String(value.start), to: String(value.end - 1) };
  const change = (next: { readonly from: string; readonly to: string }): void => {
    const [from, to] = [whole(next.from), whole(next.to)];
    if (from === null || to === null || from < all.start || to < from || to >= all.end) setTyped(next);
    else {
      setTyped(null);
      onChange({ start: from, end: to + 1 });
    }
  };
  const choose = (span: Span): void => {
    setTyped(null);
    onChange(span);
  };
  const field = (part: "from" | "to", label: string) => (
    <label className="inline-flex items-center gap-1.5">
      {label}
      <input
        inputMode="numeric"
        value={texts[part]}
        aria-invalid={typed !== null}
        aria-describedby={`${id}-bounds`}
        onChange={(event) => change({ ...texts, [part]: event.target.value })}
        className={INPUT}
      />
    </label>
  );
  return (
    <fieldset>
      <legend className="pb-1 text-muted">{of === "Index" ? "Tokens, by index" : "Columns"}</legend>
      <div className="flex flex-wrap items-center gap-2">
        {field("from", "from")}
        {field("to", "to")}
      </div>
      <div className="flex gap-1 pt-1">
        <Button look="quiet" className="px-2" onClick={() => choose(shown)}>
          On screen
        </Button>
        <Button look="quiet" className="px-2" onClick={() => choose(all)}>
          All
        </Button>
      </div>
      <p id={`${id}-bounds`} className={typed === null ? "text-label text-muted" : "text-label text-danger"}>
        {`${typed === null ? "There are" : "Whole numbers, the first no larger than the second,"} ${all.start} to ${all.end - 1}.`}
      </p>
    </fieldset>
  );
}

const whole = (text: string): number | null => (/^\s*\d+\s*$/.test(text) ? Number(text) : null);
