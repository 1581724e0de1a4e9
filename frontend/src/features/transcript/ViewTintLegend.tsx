import type { ViewTints } from "./viewTints";

/** What the colours that the open view gives the text mean. One line, so that the text stays where it is. */
export default function ViewTintLegend({ title, gradient, low, high, marked }: ViewTints["legend"]) {
  return (
    <p className="flex w-full items-center gap-x-2 pt-0.5 pb-1 text-label whitespace-nowrap text-muted">
      <span className="min-w-0 truncate" title={title}>
        {title}
      </span>
      <span className="font-mono">{low}</span>
      <span
        aria-hidden="true"
        className="h-3 w-24 shrink-0 border border-line"
        style={{ background: gradient }}
      />
      <span className="font-mono">{high}</span>
      {marked !== null && (
        <span className="min-w-0 truncate underline decoration-dotted underline-offset-4" title={marked}>
          {marked}
        </span>
      )}
    </p>
  );
}
