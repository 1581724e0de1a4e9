import type { GridWindow } from "@/charts/heatmap/GridWindow";
import type { Span } from "@/base/span";
import type { OpenView } from "@/features/export/useViewExport";
import type { Token } from "@/model/timeline";
import type { LensColumns } from "@/reading/columns";
import type { HeatmapLook } from "./choices";
import { METRICS } from "./metrics";
import type { useCells } from "./useCells";

interface HeatmapState {
  readonly tokens: readonly Token[];
  readonly columns: LensColumns | null;
  readonly drawn: ReturnType<typeof useCells>;
  readonly range: Span | null;
  readonly gridWindow: GridWindow;
  readonly onChangeLook: (change: Partial<HeatmapLook>) => void;
}

/** What can be exported of the heatmap, and its commands in the palette. */
export const heatmapExports = (state: HeatmapState): OpenView => {
  const { tokens, columns, drawn, range, gridWindow, onChangeLook } = state;
  const { layerLabels, metric, scale, rampName, answer } = drawn;
  return {
    viewExport:
      columns === null || columns.layers.length === 0
        ? "The conversation is not read yet."
        : async () => {
            const { heatmapExport } = await import("./viewExport");
            return heatmapExport({
              tokens,
              columns,
              range,
              layerLabels,
              metric,
              scale,
              rampName,
              answer,
              shown: gridWindow.get(),
            });
          },
    commands: METRICS.map(({ id, title }) => ({
      label: `Colour the heatmap by ${title}`,
      run: () => onChangeLook({ metric: id }),
    })),
  };
};
