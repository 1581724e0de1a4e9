import type { Span } from "@/base/span";
import { MIN_TEXT_WIDTH } from "@/charts/heatmap/geometry";
import { formatCount } from "@/model/format";
import { Button } from "@/ui/Button";
import type { ChosenRange } from "./useRange";

interface RangeControlsProps {
  readonly chosen: ChosenRange;
  /** The cells are too narrow for text. */
  readonly isNarrow: boolean;
  readonly onFit: (range: Span) => void;
}

/** The chosen range of positions, how to choose one, and what can be done with it. */
export function RangeControls({ chosen, isNarrow, onFit }: RangeControlsProps) {
  const { range, picking, clear, pick } = chosen;
  if (picking !== null) {
    return (
      <span role="group" aria-label="Range" className="ml-auto flex items-center gap-1.5">
        <span role="status" className="text-accent">
          Press the {picking} column of the range
        </span>
        <Button look="quiet" size="small" onClick={clear}>
          Cancel
        </Button>
      </span>
    );
  }
  if (range === null) {
    return (
      <span className="ml-auto flex min-w-0 items-center gap-1.5">
        {isNarrow ? (
          <span>Cells under {MIN_TEXT_WIDTH} px show colour only: widen them for text</span>
        ) : (
          <span className="truncate text-quiet max-md:hidden pointer-coarse:hidden">
            Drag over columns, or press Shift with an arrow, to choose a range
          </span>
        )}
        {/* A finger that is dragged scrolls. */}
        <Button size="small" className="not-any-pointer-coarse:hidden" onClick={pick}>
          Select a range
        </Button>
      </span>
    );
  }
  const count = range.end - range.start;
  return (
    <span role="group" aria-label="Range" className="ml-auto flex items-center gap-1.5">
      <span className="whitespace-nowrap">
        Index {range.start} to {range.end - 1}, {formatCount(count)} {count === 1 ? "position" : "positions"}
      </span>
      <Button size="small" onClick={() => onFit(range)}>
        Fit to range
      </Button>
      <Button look="quiet" size="small" onClick={clear}>
        Clear
      </Button>
    </span>
  );
}
