import clsx from "clsx";
import { chooseByArrows } from "./chooseByArrows";

interface SegmentedProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string; readonly hint?: string }[];
  readonly onChange: (value: T) => void;
  readonly className?: string;
}

/** One of a few, side by side. Arrow keys move, as in any radio group. */
export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
  className,
}: SegmentedProps<T>) {
  return (
    <div
      role="radiogroup"
      aria-label={label}
      className={clsx(
        "inline-flex h-control shrink-0 items-center rounded-control bg-sunken p-0.5",
        className,
      )}
    >
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          role="radio"
          aria-checked={option.value === value}
          tabIndex={option.value === value ? 0 : -1}
          onClick={() => onChange(option.value)}
          onKeyDown={chooseByArrows}
          title={option.hint}
          className="h-full rounded-[4px] px-2 font-medium text-muted transition-colors hover:text-ink aria-checked:bg-lifted aria-checked:text-ink aria-checked:shadow-[0_0_0_1px_var(--line)]"
        >
          {option.label}
        </button>
      ))}
    </div>
  );
}
