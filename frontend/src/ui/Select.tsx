import clsx from "clsx";
import { type KeyboardEvent, Suspense, useId, useRef, useState } from "react";
import { ErrorBoundary } from "./ErrorBoundary";
import { Icon } from "./Icon";
import { lazyPart } from "./lazyPart";
import { useIsCoarse } from "./media";
import { Refusable } from "./Refusable";

const OpenSelect = lazyPart(() => import("./OpenSelect"));

export interface SelectOption<T extends string | number> {
  readonly value: T;
  readonly label: string;
  /** One line that explains the choice, shown below its label. */
  readonly hint?: string | undefined;
}

export interface SelectProps<T extends string | number> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly SelectOption<T>[];
  readonly onChange: (value: T) => void;
  /** Leaves the label to screen readers, where the value says enough. */
  readonly isLabelHidden?: boolean;
  /** Why nothing can be chosen now; undefined where something can. */
  readonly disabledBecause?: string | undefined;
  readonly className?: string;
}

const SHAPE =
  "h-control min-w-0 rounded-control border border-line bg-raised px-2 text-left whitespace-nowrap transition-colors hover:bg-hover focus-visible:-outline-offset-1";

/**
 * One of several choices: a quiet button that opens a list in which each is explained. Where a finger
 * points it is the system's own picker.
 */
export function Select<T extends string | number>(props: SelectProps<T>) {
  const { label, value, options, onChange, isLabelHidden = false, disabledBecause, className } = props;
  const [isOpen, setIsOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const isCoarse = useIsCoarse();
  const id = useId();
  const chosen = options.find((option) => option.value === value);

  // The system's picker cannot say why it is closed.
  if (isCoarse && disabledBecause === undefined) {
    return (
      <label className={clsx("inline-flex min-w-0 items-center gap-1.5 text-muted", className)}>
        <span className={clsx("shrink-0", isLabelHidden && "sr-only")}>{label}</span>
        <select
          value={value}
          onChange={(event) => {
            const next = options.find((option) => String(option.value) === event.target.value);
            if (next !== undefined) onChange(next.value);
          }}
          className={clsx(SHAPE, "flex-1 text-ink")}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
      </label>
    );
  }

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    setIsOpen(disabledBecause === undefined);
  };
  return (
    <>
      <Refusable because={disabledBecause}>
        <button
          ref={button}
          type="button"
          role="combobox"
          aria-label={label}
          aria-haspopup="listbox"
          aria-expanded={isOpen}
          aria-controls={`${id}-list`}
          value={value}
          onClick={() => setIsOpen(!isOpen)}
          onKeyDown={onKeyDown}
          className={clsx(
            SHAPE,
            "inline-flex items-center gap-1.5 aria-disabled:cursor-not-allowed aria-disabled:text-quiet aria-disabled:hover:bg-raised",
            className,
          )}
        >
          {!isLabelHidden && (
            <span aria-hidden="true" className="text-muted">
              {label}
            </span>
          )}
          <span className="min-w-0 flex-1 truncate font-medium">{chosen?.label}</span>
          <Icon name="down" className="text-quiet" />
        </button>
      </Refusable>
      {isOpen && (
        <ErrorBoundary onClose={() => setIsOpen(false)}>
          <Suspense fallback={null}>
            <OpenSelect
              button={button}
              listId={`${id}-list`}
              label={label}
              value={String(value)}
              options={options}
              onChoose={(i) => {
                const next = options[i];
                if (next !== undefined) onChange(next.value);
              }}
              onClose={() => setIsOpen(false)}
            />
          </Suspense>
        </ErrorBoundary>
      )}
    </>
  );
}
