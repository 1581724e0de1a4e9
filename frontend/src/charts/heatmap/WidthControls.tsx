import { Button, IconButton } from "@/ui/Button";
import { CELL_WIDTHS, zoomed } from "./geometry";

interface WidthControlsProps {
  readonly cellWidth: number;
  readonly onChange: (cellWidth: number) => void;
  /** Makes every column and every row fit into the view, as far as possible; left out where that is not offered. */
  readonly onFit?: () => void;
}

/** How much of the timeline is seen at once. */
export function WidthControls({ cellWidth, onChange, onFit }: WidthControlsProps) {
  return (
    <div role="group" aria-label="Cell width" className="flex items-center">
      <IconButton
        icon="minus"
        label="Narrower cells"
        disabled={cellWidth === CELL_WIDTHS[0]}
        onClick={() => onChange(zoomed(cellWidth, -1))}
      />
      <IconButton
        icon="plus"
        label="Wider cells"
        disabled={cellWidth === CELL_WIDTHS.at(-1)}
        onClick={() => onChange(zoomed(cellWidth, 1))}
      />
      {onFit !== undefined && (
        <Button look="quiet" title="Fit the whole conversation, columns and rows" onClick={onFit}>
          Fit
        </Button>
      )}
    </div>
  );
}
