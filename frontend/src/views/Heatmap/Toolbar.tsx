import { CELL_WIDTHS, MIN_TEXT_WIDTH, zoomed } from "@/components/heatmap/geometry";
import { IconButton } from "@/components/ui/Button";
import { METRICS } from "@/lib/metrics";
import { type HeatmapLook, RAMP_NAMES } from "./useHeatmapLook";

interface ToolbarProps {
  readonly look: HeatmapLook;
  readonly onChange: (change: Partial<HeatmapLook>) => void;
  /** Makes every column fit into the view, as far as possible. */
  readonly onFit: () => void;
}

const FIELD = "h-8 rounded-control border border-line-strong bg-raised px-2 text-ink";

/** What the cells are coloured by, with which ramp, and how wide they are. */
export function Toolbar({ look, onChange, onFit }: ToolbarProps) {
  return (
    <div className="flex min-w-0 flex-wrap items-end gap-2">
      <label className="flex min-w-36 flex-1 flex-col text-cell text-muted">
        coloured by
        <select
          value={look.metric}
          onChange={(event) => {
            const chosen = METRICS.find(({ id }) => id === event.target.value);
            if (chosen !== undefined) onChange({ metric: chosen.id });
          }}
          className={`${FIELD} w-full max-w-60 text-body`}
        >
          {METRICS.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label className="flex flex-col text-cell text-muted">
        ramp
        <select
          value={look.ramp}
          onChange={(event) => {
            const chosen = RAMP_NAMES.find((name) => name === event.target.value);
            if (chosen !== undefined) onChange({ ramp: chosen });
          }}
          className={`${FIELD} text-body`}
        >
          {RAMP_NAMES.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <div role="group" aria-label="Cell width" className="flex items-center">
        <IconButton
          icon="minus"
          label="Narrower cells"
          disabled={look.cellWidth === CELL_WIDTHS[0]}
          onClick={() => onChange({ cellWidth: zoomed(look.cellWidth, -1) })}
        />
        <IconButton
          icon="plus"
          label="Wider cells"
          disabled={look.cellWidth === CELL_WIDTHS.at(-1)}
          onClick={() => onChange({ cellWidth: zoomed(look.cellWidth, 1) })}
        />
        <IconButton icon="expand" label="Fit the whole conversation" onClick={onFit} />
      </div>
      {look.cellWidth < MIN_TEXT_WIDTH && (
        <p className="pb-1.5 text-cell text-muted">
          Cells under {MIN_TEXT_WIDTH} px show colour only: widen them for text.
        </p>
      )}
    </div>
  );
}
