import { useMemo } from "react";
import { DIVERGING, gradientStops } from "@/charts/colour/colour";
import type { Theme } from "@/features/settings/theme";
import { Select } from "@/ui/Select";
import { gridRows, headScale } from "./headGrid";
import type { Rows } from "./heads";
import { CELLS, type CellMeasure, KINDS, formatValue } from "./kinds";

interface ScaleLineProps {
  readonly rows: Rows;
  readonly theme: Theme;
  readonly measure: CellMeasure;
  readonly onChoose: (measure: CellMeasure) => void;
}

/** What the colours of the grid mean, and the choice of it. */
export function ScaleLine({ rows, theme, measure, onChoose }: ScaleLineProps) {
  const { isSigned, cells, unit } = KINDS[rows.kind];
  const max = useMemo(() => headScale(rows.kind, gridRows(rows, measure)), [rows, measure]);
  const stops = gradientStops(DIVERGING[theme], 17);
  return (
    <div className="flex flex-wrap [contain:inline-size] items-center gap-x-2 gap-y-1 text-label text-muted">
      <span className="font-mono">{isSigned ? formatValue(rows.kind, -max) : "0"}</span>
      <span
        aria-hidden="true"
        className="h-2.5 w-24 rounded-[2px]"
        style={{
          backgroundImage: `linear-gradient(to right, ${(isSigned ? stops : stops.slice(8)).join(", ")})`,
        }}
      />
      <span className="font-mono">{rows.kind === "weight" ? "1" : formatValue(rows.kind, max)}</span>
      {rows.kind === "logit" ? (
        <span>
          {cells.outside}, {unit}
        </span>
      ) : (
        <Select
          label="Colour of a head"
          isLabelHidden
          value={measure}
          options={CELLS.map((value) => ({
            value,
            label: value === "outside" && rows.kind === "readBy" ? "all later tokens" : SHORT[value],
            hint: cells[value],
          }))}
          onChange={onChoose}
        />
      )}
    </div>
  );
}

const SHORT: Readonly<Record<CellMeasure, string>> = {
  outside: "outside the first token",
  largest: "largest of one token",
};
