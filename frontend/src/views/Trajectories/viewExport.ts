/** The Trajectories view to take away: every line over every layer. */
import { DATA, type Drawing, PAPER } from "@/charts/figure/figure";
import { cutText, element, textElement, textWidth } from "@/charts/figure/svg";
import {
  type Point,
  labelledLayers,
  linePath,
  logprobAxis,
  probabilityAxis,
  rankAxis,
  shareOf,
  spread,
} from "@/charts/lines/chart";
import { timelineScript } from "@/features/export/timelineScript";
import type { ViewExport } from "@/features/export/viewExport";
import type { Cell } from "@/features/export/table";
import type { Token } from "@/model/timeline";
import { cellText } from "@/model/tokens";
import {
  type Curve,
  TRAJECTORY_METRICS,
  type TrajectoryMetric,
  formatReading,
  formatTick,
  plotted,
  readingAt,
} from "./curveMetrics";
import { type LineLook, lookOf } from "./lineLook";
import { type Series, lineLabel, lineName } from "./series";

export interface TrajectoriesState {
  readonly tokens: readonly Token[];
  readonly series: readonly Series[];
  readonly labels: readonly string[];
  readonly metric: TrajectoryMetric;
  /** The selected position, read by the solid lines. */
  readonly position: number;
}

type ReadSeries = Series & { readonly curve: Curve };

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
  { key: "rank", unit: "1 is the first choice" },
] as const;

export function trajectoriesExport(state: TrajectoriesState): ViewExport {
  const { tokens, labels, metric, position } = state;
  const series = state.series.filter((each): each is ReadSeries => each.curve !== null);
  const missing = state.series.length - series.length;
  const read = tokens[position];
  const next = tokens[position + 1];
  const own = state.series.find((each) => each.isActual && each.place.slot === 0);
  const unit = TRAJECTORY_METRICS.find(({ value }) => value === metric)?.unit ?? "";
  const probabilities = series.flatMap(({ curve, place, ...line }) =>
    labels.map((_, layer) => ({
      position: place.position,
      layer,
      tokenIds: line.tokens.map((token) => token.id),
      probability: curve.probability[layer] ?? Number.NaN,
      rank: curve.rank?.[layer] ?? null,
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
      ...(missing === 0 ? [] : [`Not read: ${missing} of ${state.series.length} lines`]),
    ],
    place: `${position}-${next?.text ?? "next"}-${metric}`,
    table: {
      columns: COLUMNS,
      rows: series.flatMap(({ curve, place, ...line }, number) =>
        labels.map((label, layer): Cell[] => {
          const probability = curve.probability[layer] ?? null;
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
            label,
            probability,
            probability !== null && probability > 0 ? Math.log(probability) : null,
            curve.rank?.[layer] ?? null,
          ];
        }),
      ),
    },
    draw: () => draw(series, state),
    places: probabilities,
    script: ({ lens }) => timelineScript([{ lens, tokens, probabilities, predictions: [] }]),
  };
}

const actualWords = (own: Series | undefined): string =>
  own === undefined
    ? "is not among the lines"
    : own.slot === "actual"
      ? "is the line in ink, with rings"
      : "is the line that is outlined in ink";

const WIDTH = 820;
const PLOT = { left: 64, top: 12, width: 620, height: 300 } as const;
const LEGEND_TOP = PLOT.top + PLOT.height + 56;
const LEGEND_LINE = 20;
const SIZE = 11;
const AXES = { probability: probabilityAxis, logprob: logprobAxis, rank: rankAxis } as const;

function draw(series: readonly ReadSeries[], { tokens, labels, metric }: TrajectoriesState): Drawing {
  const last = labels.length - 1;
  const lines = series.map((each) => ({ ...each, values: plotted(each.curve, metric) }));
  const axis = AXES[metric](lines.flatMap((line) => line.values));
  const xOf = (layer: number): number => PLOT.left + (last === 0 ? 0 : (layer / last) * PLOT.width);
  const yOf = (value: number): number => PLOT.top + (1 - shareOf(axis, value)) * PLOT.height;
  const pointsOf = (values: readonly (number | null)[]): (Point | null)[] =>
    values.map((value, layer) => (value === null ? null : { x: xOf(layer), y: yOf(value) }));

  const right = PLOT.left + PLOT.width;
  const bottom = PLOT.top + PLOT.height;
  const unit = TRAJECTORY_METRICS.find(({ value }) => value === metric)?.unit ?? "";
  const axes = [
    ...axis.ticks.map(
      (tick) =>
        element("path", { d: `M${PLOT.left} ${yOf(tick)}H${right}`, stroke: PAPER.line }) +
        textElement(PLOT.left - 8, yOf(tick) + 4, formatTick(tick, metric), {
          ...DATA,
          fill: PAPER["text-muted"],
          "text-anchor": "end",
        }),
    ),
    ...labelledLayers(last, PLOT.width, 24).map((layer) =>
      textElement(xOf(layer), bottom + 18, labels[layer] ?? "", {
        ...DATA,
        fill: PAPER["text-muted"],
        "text-anchor": "middle",
      }),
    ),
    textElement(PLOT.left + PLOT.width / 2, bottom + 36, "layer", {
      fill: PAPER["text-muted"],
      "text-anchor": "middle",
    }),
    textElement(12, PLOT.top + PLOT.height / 2, unit, {
      fill: PAPER["text-muted"],
      "text-anchor": "middle",
      transform: `rotate(-90 12 ${PLOT.top + PLOT.height / 2})`,
    }),
  ];
  const drawn = lines.map((line) => {
    const points = pointsOf(line.values);
    return drawLine(
      lookOf(line),
      linePath(points),
      points.filter((point) => point !== null),
    );
  });
  const ends = lines.flatMap((line) => {
    const value = line.place.slot === 0 ? line.values.at(-1) : null;
    return value === null || value === undefined
      ? []
      : [{ text: lineLabel(line.tokens), isActual: line.isActual, y: yOf(value) }];
  });
  const places = spread(
    ends.map(({ y }) => y),
    14,
    PLOT.top,
    bottom,
  );
  const names = ends.map(({ text, isActual, y }, i) => {
    const at = places[i] ?? y;
    return (
      element("path", {
        d: `M${right + 6} ${y}L${right + 14} ${at}`,
        stroke: PAPER["line-strong"],
        fill: "none",
      }) +
      textElement(right + 18, at + 4, text, {
        ...DATA,
        fill: PAPER.text,
        ...(isActual ? { "font-weight": 700 } : {}),
      })
    );
  });
  const legend = lines.map((line, i) => {
    const { place, tokens: own, curve, isActual } = line;
    const y = LEGEND_TOP + i * LEGEND_LINE;
    const name = cutText(lineName(own), SIZE, 240);
    const ids = own.map((token) => token.id).join(" + ");
    const read = tokens[place.position];
    const detail = `${isActual ? "actual, " : ""}id ${ids}, read at index ${place.position}${read === undefined ? "" : ` “${cellText(read)}”`}; at the output ${formatReading(readingAt(curve, last), metric)}`;
    return (
      drawLine(lookOf(line), `M0 ${y - 4}H28`, [{ x: 14, y: y - 4 }]) +
      textElement(38, y, name, { ...DATA, fill: PAPER.text }) +
      textElement(
        38 + textWidth(name, SIZE) + 14,
        y,
        cutText(detail, SIZE, WIDTH - 60 - textWidth(name, SIZE)),
        {
          fill: PAPER["text-muted"],
        },
      )
    );
  });
  return {
    width: WIDTH,
    height: LEGEND_TOP + lines.length * LEGEND_LINE,
    svg: [...axes, ...drawn, ...names, ...legend].join(""),
  };
}

/** As `ChartLine` draws it in the page. */
function drawLine({ strokes, dash, mark }: LineLook, path: string, points: readonly Point[]): string {
  const round = (value: number): number => Math.round(10 * value) / 10;
  return element(
    "g",
    {},
    ...strokes.map(({ paint, width }) =>
      element("path", {
        d: path,
        fill: "none",
        stroke: PAPER[paint],
        "stroke-width": width,
        "stroke-dasharray": dash,
        "stroke-linejoin": "round",
      }),
    ),
    element(
      "g",
      { stroke: PAPER[mark.stroke], fill: PAPER[mark.fill], "stroke-width": mark.width },
      ...points.map(({ x, y }) =>
        element("path", { d: mark.outline, transform: `translate(${round(x)} ${round(y)})` }),
      ),
    ),
  );
}
