import clsx from "clsx";
import { layerLabel, layerTitle } from "@/model/layers";
import { type TrajectoryMetric, formatReading, metricUnit, readingAt } from "./curveMetrics";
import { LineName } from "./LineName";
import type { Series } from "./series";

interface NumbersTableProps {
  readonly series: readonly Series[];
  readonly layers: readonly number[];
  readonly metric: TrajectoryMetric;
  readonly selectedLayer: number | null;
  readonly onSelectLayer: (layer: number) => void;
}

/** The chart as numbers: a row for each layer, from the output down to the embedding. */
export function NumbersTable({ series, layers, metric, selectedLayer, onSelectLayer }: NumbersTableProps) {
  const unit = metricUnit(metric);
  return (
    <div className="shrink-0 overflow-x-auto px-3 pb-2">
      <table className="text-left">
        <caption className="py-1 text-left text-muted">Every layer: {unit}</caption>
        <thead className="text-cell text-quiet">
          <tr>
            <th scope="col" className="pr-4 font-normal">
              layer
            </th>
            {series.map((each) => (
              <th key={each.key} scope="col" className="pr-4 text-right font-normal whitespace-nowrap">
                <LineName tokens={each.tokens} /> <span>at {each.place.position}</span>
                {each.isActual && <b className="ml-1.5 font-medium text-ink">actual</b>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {layers
            .map((layer) => (
              <tr
                key={layer}
                aria-current={layer === selectedLayer ? "true" : undefined}
                className={clsx("border-t border-line", layer === selectedLayer && "bg-accent-soft")}
              >
                <th scope="row" className="pr-4 font-normal">
                  <button
                    type="button"
                    aria-pressed={layer === selectedLayer}
                    aria-label={layerTitle(layer)}
                    className="min-h-6 w-full rounded-mark text-left font-mono text-label"
                    onClick={() => onSelectLayer(layer)}
                  >
                    {layerLabel(layer)}
                  </button>
                </th>
                {series.map(({ key, curve }) => (
                  <td key={key} className="pr-4 text-right font-mono text-label">
                    {curve === null ? "" : formatReading(readingAt(curve, layer), metric)}
                  </td>
                ))}
              </tr>
            ))
            .toReversed()}
        </tbody>
      </table>
    </div>
  );
}
