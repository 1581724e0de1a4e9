/** The Trajectories view to take away: every line over every layer. */
import { timelineScript } from "@/features/export/timelineScript";
import type { ViewExport } from "@/features/export/viewExport";
import type { Cell } from "@/features/export/table";
import type { Token } from "@/model/timeline";
import { layerLabel } from "@/model/layers";
import { cellText } from "@/model/tokens";
import { type Curve, metricUnit, type TrajectoryMetric, formatReading, readingAt } from "./curveMetrics";
import { drawCurves } from "./drawCurves";
import { type Series, lineName } from "./series";

export interface TrajectoriesState {
  readonly tokens: readonly Token[];
  readonly series: readonly Series[];
  readonly layers: readonly number[];
  readonly metric: TrajectoryMetric;
  /** The selected position, read by the solid lines. */
  readonly position: number;
}

export type ReadSeries = Series & { readonly curve: Curve };

const COLUMNS = [
  { key: "line", unit: null },
  { key: "token_ids", unit: null },
  { key: "token_text", unit: null },
  { key: "read_at_index", unit: null },
  { key: "read_at_token_id", unit: null },
  { key: "read_at_text", unit: null },
  { key: "predicts_index", unit: null },
  { key: "is_actual", unit: "1 for the token that follows" },
  { key: "layer", unit: null },
  { key: "layer_label", unit: null },
  { key: "probability", unit: "0 to 1" },
  { key: "logprob_nats", unit: "nats" },
  { key: "rank", unit: "1 is the most probable" },
] as const;

export function trajectoriesExport(state: TrajectoriesState): ViewExport {
  const { tokens, metric, position } = state;
  const series = state.series.filter((each): each is ReadSeries => each.curve !== null);
  const missing = state.series.length - series.length;
  const read = tokens[position];
  const next = tokens[position + 1];
  const own = state.series.find((each) => each.isActual && each.place.slot === 0);
  const unit = metricUnit(metric);
  const probabilities = series.flatMap(({ curve, place, ...line }) =>
    curve.layers.map((layer, row) => ({
      position: place.position,
      layer,
      tokenIds: line.tokens.map((token) => token.id),
      probability: curve.probability[row] ?? Number.NaN,
      rank: curve.rank?.[row] ?? null,
    })),
  );
  return {
    title: `How chosen tokens move over the layers`,
    facts: [
      `Solid lines are read at index ${position}${read === undefined ? "" : ` “${cellText(read)}”`} and predict index ${position + 1}${next === undefined ? " (nothing there yet)" : ` “${cellText(next)}”`}`,
      `Metric: ${unit}`,
      ...(next === undefined
        ? []
        : [`The actual token “${cellText(next)}” (id ${next.id}) ${actualWords(own)}`]),
      `At the output: ${series.map((line) => lineFact(line, state)).join("; ")}`,
      ...(missing === 0 ? [] : [`Not read: ${missing} of ${state.series.length} lines`]),
    ],
    place: `${position}-${next?.text ?? "next"}-${metric}`,
    table: {
      columns: COLUMNS,
      rows: series.flatMap(({ curve, place, ...line }, number) =>
        curve.layers.map((layer, row): Cell[] => {
          const probability = curve.probability[row] ?? null;
          return [
            number + 1,
            line.tokens.map((token) => token.id).join("+"),
            line.tokens.map((token) => token.text ?? "").join("+"),
            place.position,
            tokens[place.position]?.id ?? null,
            tokens[place.position]?.text ?? null,
            place.position + 1,
            tokens[place.position + 1] === undefined ? null : Number(line.isActual),
            layer,
            layerLabel(layer),
            probability,
            probability !== null && probability > 0 ? Math.log(probability) : null,
            curve.rank?.[row] ?? null,
          ];
        }),
      ),
    },
    columns: null,
    draw: (layout) => drawCurves(series, state, layout),
    places: probabilities,
    script: ({ lens, model, interventions }) =>
      timelineScript([{ lens, tokens, probabilities, predictions: [], interventions }], model),
  };
}

const actualWords = (own: Series | undefined): string =>
  own === undefined
    ? "is not among the lines"
    : own.slot === "actual"
      ? "is the line in ink, with rings"
      : "is the line that is outlined in ink";

/** `·Paris (id 12) 0.977`; with its position where it is another than that of the solid lines. */
function lineFact({ tokens: own, place, curve }: ReadSeries, { layers, metric }: TrajectoriesState): string {
  const ids = own.map((token) => token.id).join(" + ");
  const at = place.slot === 0 ? "" : `, read at index ${place.position}`;
  return `${lineName(own)} (id ${ids}${at}) ${formatReading(readingAt(curve, layers.at(-1) ?? 0), metric)}`;
}
