import type { OpenView } from "@/features/export/useViewExport";
import type { Token } from "@/model/timeline";
import type { TrajectoryMetric } from "./curveMetrics";
import { TRAJECTORY_METRICS } from "./curveMetrics";
import type { Lines } from "./useLines";

interface ShownLines {
  readonly tokens: readonly Token[];
  readonly lines: Lines;
  readonly layers: readonly number[];
  readonly metric: TrajectoryMetric;
  readonly onChangeMetric: (metric: TrajectoryMetric) => void;
}

/** What can be exported of the lines, and their commands in the palette. */
export const trajectoriesExports = ({
  tokens,
  lines,
  layers,
  metric,
  onChangeMetric,
}: ShownLines): OpenView => {
  const { series, positions } = lines;
  return {
    viewExport: series.every((each) => each.curve === null)
      ? "No line is read yet."
      : series.some((each) => each.curve?.isPartial)
        ? "The lines are read in full when generation finishes."
        : async () => {
            const { trajectoriesExport } = await import("./viewExport");
            return trajectoriesExport({ tokens, series, layers, metric, position: positions[0].position });
          },
    commands: TRAJECTORY_METRICS.map(({ value, label }) => ({
      label: `Draw the trajectories as ${label}`,
      run: () => onChangeMetric(value),
    })),
  };
};
