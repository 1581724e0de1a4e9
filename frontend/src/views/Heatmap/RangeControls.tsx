import { MIN_TEXT_WIDTH } from "@/components/heatmap/geometry";
import { Button } from "@/components/ui/Button";
import type { Span } from "@/lib/columns";
import { formatCount } from "@/lib/format";

interface RangeControlsProps {
  readonly range: Span | null;
  /** The cells are too narrow for text. */
  readonly isNarrow: boolean;
  readonly onFit: (range: Span) => void;
  readonly onClear: () => void;
}

/** The chosen range of positions, and what can be done with it. */
export function RangeControls({ range, isNarrow, onFit, onClear }: RangeControlsProps) {
  if (range === null) {
    return isNarrow ? (
      <span className="ml-auto">Cells under {MIN_TEXT_WIDTH} px show colour only: widen them for text</span>
    ) : (
      <span className="ml-auto truncate text-quiet max-md:hidden">
        Drag over columns, or press Shift with an arrow, to choose a range
      </span>
    );
  }
  const count = range.end - range.start;
  return (
    <span role="group" aria-label="Range" className="ml-auto flex items-center gap-1.5">
      <span className="whitespace-nowrap">
        Index {range.start} to {range.end - 1}, {formatCount(count)} {count === 1 ? "position" : "positions"}
      </span>
      <Button className="!h-6 px-2" onClick={() => onFit(range)}>
        Fit to range
      </Button>
      <Button look="quiet" className="!h-6 px-2" onClick={onClear}>
        Clear
      </Button>
    </span>
  );
}
