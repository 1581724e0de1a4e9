import { useState } from "react";
import { CELL_WIDTHS, DEFAULT_CELL_WIDTH } from "@/components/heatmap/geometry";
import { RAMPS, type RampName } from "@/lib/colour";
import { METRICS, type MetricId } from "@/lib/metrics";
import { readStored, writeStored } from "@/lib/stored";

export interface HeatmapLook {
  readonly metric: MetricId;
  readonly ramp: RampName;
  readonly cellWidth: number;
}

const STORED_AS = "heatmap";
const DEFAULT_LOOK: HeatmapLook = {
  metric: "top_probability",
  ramp: "viridis",
  cellWidth: DEFAULT_CELL_WIDTH,
};

export const RAMP_NAMES = Object.keys(RAMPS).filter((name): name is RampName => name in RAMPS);

/** What is stored, as far as it still fits. */
function parseLook(stored: unknown): HeatmapLook | undefined {
  if (typeof stored !== "object" || stored === null) return undefined;
  const values = new Map<string, unknown>(Object.entries(stored));
  return {
    metric: METRICS.find(({ id }) => id === values.get("metric"))?.id ?? DEFAULT_LOOK.metric,
    ramp: RAMP_NAMES.find((name) => name === values.get("ramp")) ?? DEFAULT_LOOK.ramp,
    cellWidth: CELL_WIDTHS.find((width) => width === values.get("cellWidth")) ?? DEFAULT_LOOK.cellWidth,
  };
}

/** How the heatmap is drawn, remembered in this browser. */
export function useHeatmapLook(): [HeatmapLook, (change: Partial<HeatmapLook>) => void] {
  const [look, setLook] = useState(() => readStored(STORED_AS, parseLook, DEFAULT_LOOK));
  const change = (part: Partial<HeatmapLook>) => {
    const next = { ...look, ...part };
    setLook(next);
    writeStored(STORED_AS, next);
  };
  return [look, change];
}
