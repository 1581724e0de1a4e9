import clsx from "clsx";

interface ValueBarProps {
  readonly value: number;
  /** Value of a full bar. */
  readonly max: number;
  readonly isSigned: boolean;
  /** Left out of the scale: full length means at least `max`. */
  readonly isQuiet?: boolean;
}

/** A number as a bar; one with a sign grows from the middle to its side. */
export function ValueBar({ value, max, isSigned, isQuiet = false }: ValueBarProps) {
  const share = Math.min(1, Math.abs(value) / max);
  const width = isSigned ? 50 * share : 100 * share;
  return (
    <span aria-hidden="true" className="relative block h-2 min-w-4 overflow-hidden rounded-[2px] bg-sunken">
      <span
        className={clsx(
          "absolute inset-y-0 forced-colors:bg-[CanvasText]",
          isQuiet ? "bg-line-strong" : value < 0 ? "bg-data-minus" : "bg-data-plus",
        )}
        style={{ width: `${width}%`, left: isSigned ? `${value < 0 ? 50 - width : 50}%` : 0 }}
      />
      {isSigned && <span className="absolute inset-y-0 left-1/2 w-px bg-line-strong" />}
    </span>
  );
}
