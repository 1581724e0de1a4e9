import { useMemo } from "react";
import type { CellPlace } from "@/charts/heatmap/geometry";
import { Finding } from "@/features/evidence/Finding";
import { layerName } from "@/model/layers";
import type { LensColumns } from "@/reading/columns";
import { Button } from "@/ui/Button";
import { type Metric, extremeOf } from "./metrics";

interface HeatmapFindingProps {
  readonly metric: Metric;
  /** Filled in place; `version` tells when. */
  readonly columns: LensColumns;
  readonly version: number;
  readonly nPositions: number;
  readonly onGo: (place: CellPlace) => void;
}

/** The cell that stands out most under the metric, with the way to it. */
export function HeatmapFinding({ metric, columns, version, nPositions, onGo }: HeatmapFindingProps) {
  const { found } = useMemo(
    () => ({ found: extremeOf(metric, columns, nPositions), version }),
    [metric, columns, version, nPositions],
  );
  if (found === null) return <Finding>No cell is read yet.</Finding>;
  const { position, layer, value } = found;
  return (
    <Finding
      next={
        <Button look="quiet" size="small" onClick={() => onGo({ position, layer })}>
          Go to it
        </Button>
      }
    >
      {metric.extreme.name}: <b className="font-medium text-ink">{layerName(layer)}</b> at index {position},{" "}
      <span className="font-mono text-ink">{metric.format(value)}</span>
      {metric.extreme.unit}.
    </Finding>
  );
}
