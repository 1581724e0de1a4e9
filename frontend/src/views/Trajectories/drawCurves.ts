/** The lines of Trajectories as a drawing: axes, lines with their names at the right, and a legend below. */
import { DATA, type Drawing, type FigureLayout } from "@/charts/figure/figure";
import type { Palette } from "@/charts/figure/palette";
import { TYPE } from "@/charts/figure/size";
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
import { layerLabel } from "@/model/layers";
import { formatReading, formatTick, metricUnit, plotted, readingAt } from "./curveMetrics";
import { type LineLook, lookOf } from "./lineLook";
import { lineLabel, lineName } from "./series";
import type { ReadSeries, TrajectoriesState } from "./viewExport";

const AXES = { probability: probabilityAxis, logprob: logprobAxis, rank: rankAxis } as const;
/** Of the page's strokes and marks. */
const INK = 0.6;
const SAMPLE = 18;
const LEGEND_LINE = 10;
const NAME_LINE = 8.5;

export function drawCurves(
  series: readonly ReadSeries[],
  { layers, metric }: TrajectoriesState,
  { width, palette }: FigureLayout,
): Drawing {
  const last = layers.at(-1) ?? 0;
  const lines = series.map((each) => ({ ...each, values: plotted(each.curve, metric) }));
  const axis = AXES[metric](lines.flatMap((line) => line.values));
  const ticks = axis.ticks.map((tick) => ({ tick, text: formatTick(tick, metric) }));
  const ends = lines.flatMap((line) => {
    const value = line.place.slot === 0 ? line.values.at(-1) : null;
    return value === null || value === undefined
      ? []
      : [{ text: lineLabel(line.tokens), isActual: line.isActual, value }];
  });
  const widest = (texts: readonly string[]): number =>
    Math.max(0, ...texts.map((text) => textWidth(text, TYPE.body)));
  const left = 10 + widest(ticks.map(({ text }) => text)) + 5;
  const nameRoom = Math.min(0.3 * width, widest(ends.map(({ text }) => text)));
  const right = width - nameRoom - 13;
  const top = 5;
  const bottom = top + Math.min(260, Math.max(130, 0.5 * width));
  const xOf = (layer: number): number => left + (last === 0 ? 0 : (layer / last) * (right - left));
  const yOf = (value: number): number => top + (1 - shareOf(axis, value)) * (bottom - top);

  const quiet = { fill: palette["text-muted"] };
  const unit = metricUnit(metric);
  const middle = (top + bottom) / 2;
  const axes = [
    ...ticks.map(
      ({ tick, text }) =>
        element("path", {
          d: `M${left} ${yOf(tick)}H${right}`,
          stroke: palette.line,
          "stroke-width": 0.5,
        }) + textElement(left - 4, yOf(tick) + 2.4, text, { ...DATA, ...quiet, "text-anchor": "end" }),
    ),
    ...labelledLayers(last, right - left, 15).map((layer) =>
      textElement(xOf(layer), bottom + 11, layerLabel(layer), {
        ...DATA,
        ...quiet,
        "text-anchor": layer === 0 ? "start" : "middle",
      }),
    ),
    textElement((left + right) / 2, bottom + 21, "layer", { ...quiet, "text-anchor": "middle" }),
    textElement(6, middle, unit, {
      ...quiet,
      "text-anchor": "middle",
      transform: `rotate(-90 6 ${middle})`,
    }),
  ];
  const drawn = lines.map((line) => {
    const points = line.values.map((value, row) =>
      value === null ? null : { x: xOf(line.curve.layers[row] ?? 0), y: yOf(value) },
    );
    return drawLine(
      lookOf(line),
      linePath(points),
      points.filter((point) => point !== null),
      palette,
    );
  });
  const places = spread(
    ends.map(({ value }) => yOf(value)),
    NAME_LINE,
    top,
    bottom,
  );
  const names = ends.map(({ text, isActual, value }, i) => {
    const at = places[i] ?? yOf(value);
    return (
      element("path", {
        d: `M${right + 4} ${yOf(value)}L${right + 9} ${at}`,
        stroke: palette["line-strong"],
        "stroke-width": 0.5,
        fill: "none",
      }) +
      textElement(right + 11, at + 2.4, cutText(text, TYPE.body, nameRoom + 2), {
        ...DATA,
        fill: palette.text,
        ...(isActual ? { "font-weight": 700 } : {}),
      })
    );
  });
  const legendTop = bottom + 34;
  const legend = lines.map((line, i) => {
    const { place, tokens: own, curve, isActual } = line;
    const y = legendTop + i * LEGEND_LINE;
    const detail = [
      ...(isActual ? ["actual"] : []),
      ...(place.slot === 0 ? [] : [`read at index ${place.position}`]),
      `${formatReading(readingAt(curve, last), metric)} at the output`,
    ].join(", ");
    const x = SAMPLE + 6;
    const name = cutText(lineName(own), TYPE.body, width - x - 8 - textWidth(detail, TYPE.body));
    return (
      drawLine(lookOf(line), `M0 ${y - 2.4}H${SAMPLE}`, [{ x: SAMPLE / 2, y: y - 2.4 }], palette) +
      textElement(x, y, name, { ...DATA, fill: palette.text }) +
      textElement(x + textWidth(name, TYPE.body) + 8, y, detail, quiet)
    );
  });
  return {
    width,
    height: legendTop + (lines.length - 1) * LEGEND_LINE + 3,
    svg: [...axes, ...drawn, ...names, ...legend].join(""),
  };
}

/** As `ChartLine` draws it in the page. */
function drawLine(
  { strokes, dash, mark }: LineLook,
  path: string,
  points: readonly Point[],
  palette: Palette,
): string {
  const round = (value: number): number => Math.round(100 * value) / 100;
  return element(
    "g",
    {},
    ...strokes.map(({ paint, width }) =>
      element("path", {
        d: path,
        fill: "none",
        stroke: palette[paint],
        "stroke-width": INK * width,
        "stroke-dasharray": dash
          ?.split(" ")
          .map((length) => round(INK * Number(length)))
          .join(" "),
        "stroke-linejoin": "round",
      }),
    ),
    element(
      "g",
      { stroke: palette[mark.stroke], fill: palette[mark.fill], "stroke-width": mark.width },
      ...points.map(({ x, y }) =>
        element("path", {
          d: mark.outline,
          transform: `translate(${round(x)} ${round(y)}) scale(${INK})`,
        }),
      ),
    ),
  );
}
