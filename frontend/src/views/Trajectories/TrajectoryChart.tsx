import clsx from "clsx";
import { type KeyboardEvent, type PointerEvent, type ReactNode, useId } from "react";
import { isBrowserCommand } from "@/base/keys";
import {
  type Axis,
  type Point,
  labelledLayers,
  layerAt,
  linePath,
  logprobAxis,
  probabilityAxis,
  rankAxis,
  shareOf,
  spread,
} from "@/charts/lines/chart";
import { layerAfterKey, layerLabel, layerTitle, shownLayer } from "@/model/layers";
import { useElementWidth } from "@/ui/useElementWidth";
import { ChartLine } from "./ChartLine";
import {
  type Curve,
  metricUnit,
  type TrajectoryMetric,
  formatReading,
  formatTick,
  plotted,
  readingAt,
} from "./curveMetrics";
import { lookOf } from "./lineLook";
import { type Series, lineLabel, lineName } from "./series";

interface TrajectoryChartProps {
  readonly series: readonly Series[];
  /** Of B, dashed; none where no pair is set. */
  readonly seriesOfB: readonly Series[];
  /** A token that is looked at and not pinned. */
  readonly preview: { readonly name: string; readonly curve: Curve } | null;
  /** Other tokens at the selected position, drawn behind the lines. */
  readonly rivals: readonly { readonly name: string; readonly curve: Curve }[];
  /** Those that are read, the embedding first. */
  readonly layers: readonly number[];
  readonly metric: TrajectoryMetric;
  readonly selectedLayer: number | null;
  readonly hoveredLayer: number | null;
  readonly isBusy: boolean;
  /** Stands beside the name of the axis. */
  readonly children?: ReactNode;
  readonly onHoverLayer: (layer: number | null) => void;
  readonly onSelectLayer: (layer: number) => void;
}

const HEIGHT = 264;
const MARGIN = { top: 14, right: 84, bottom: 34, left: 52 } as const;
const LABEL_GAP = 13;

const AXES: Readonly<Record<TrajectoryMetric, (values: readonly (number | null)[]) => Axis>> = {
  probability: probabilityAxis,
  logprob: logprobAxis,
  rank: rankAxis,
};

/** Lines over the layers. The whole chart is a slider for the selected layer: a click or the arrow keys move it. */
export function TrajectoryChart(props: TrajectoryChartProps) {
  const { series, preview, rivals, layers, metric, selectedLayer, hoveredLayer, isBusy } = props;
  const { onHoverLayer, onSelectLayer } = props;
  const [frame, width] = useElementWidth<HTMLDivElement>(560);
  const captionId = useId();
  const last = layers.at(-1) ?? 0;
  const step = last / Math.max(1, layers.length - 1);
  const plotWidth = Math.max(40, width - MARGIN.left - MARGIN.right);
  const plotHeight = HEIGHT - MARGIN.top - MARGIN.bottom;

  const lines = series.map((each) => ({ ...each, values: plotted(each.curve, metric) }));
  const linesOfB = props.seriesOfB.map((each) => ({ ...each, values: plotted(each.curve, metric) }));
  const ghost = preview === null ? [] : plotted(preview.curve, metric);
  const faint = rivals.map(({ name, curve }) => ({ name, curve, values: plotted(curve, metric) }));
  const axis = AXES[metric]([
    ...[...lines, ...linesOfB].flatMap((line) => line.values),
    ...faint.flatMap(({ values }) => values),
    ...ghost,
  ]);
  const xOf = (layer: number): number => MARGIN.left + (last === 0 ? 0 : (layer / last) * plotWidth);
  const yOf = (value: number): number => MARGIN.top + (1 - shareOf(axis, value)) * plotHeight;
  const pointsOf = (curve: Curve | null, values: readonly (number | null)[]): (Point | null)[] =>
    values.map((value, row) => (value === null ? null : { x: xOf(curve?.layers[row] ?? 0), y: yOf(value) }));

  // The lines of the selected position are named at their ends; the others have the same colour and mark.
  const ends = [
    ...lines.map((line) => ({
      text: lineLabel(line.tokens),
      isActual: line.isActual,
      isFaint: false,
      value: line.place.slot === 0 ? line.values.at(-1) : null,
    })),
    ...linesOfB.map((line) => ({
      text: `B ${lineLabel(line.tokens)}`,
      isActual: line.isActual,
      isFaint: false,
      value: line.values.at(-1),
    })),
    ...faint.map(({ name, values }) => ({
      text: name,
      isActual: false,
      isFaint: true,
      value: values.at(-1),
    })),
    { text: preview?.name ?? "", isActual: false, isFaint: false, value: ghost.at(-1) },
  ].flatMap(({ value, ...end }) =>
    value === null || value === undefined ? [] : [{ ...end, y: yOf(value) }],
  );
  const endPlaces = spread(
    ends.map(({ y }) => y),
    LABEL_GAP,
    MARGIN.top,
    HEIGHT - MARGIN.bottom,
  );

  const unit = metricUnit(metric);
  const current = shownLayer(layers, selectedLayer);
  const spoken = [...lines, ...linesOfB]
    .map(
      ({ tokens, place, curve, isActual, side }) =>
        `${side === undefined ? "" : "B, "}${lineName(tokens)}${isActual ? ", the actual token," : ""} at index ${place.position}: ${formatReading(readingAt(curve, current), metric)}`,
    )
    .join("; ");

  const layerUnder = (event: { readonly clientX: number; readonly currentTarget: Element }): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return step * layerAt(event.clientX - box.left - MARGIN.left, plotWidth, layers.length - 1);
  };
  const onPointerMove = (event: PointerEvent): void => {
    const layer = layerUnder(event);
    if (layer !== hoveredLayer) onHoverLayer(layer);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowserCommand(event)) return;
    const next = layerAfterKey(event.key, current, last, step);
    if (next === null) return;
    onSelectLayer(next);
    event.preventDefault();
  };

  return (
    <figure aria-labelledby={captionId} className="min-w-0 px-3 pt-1">
      <div className="flex min-h-control items-center gap-3 text-muted">
        <figcaption id={captionId} className="shrink-0 text-label">
          {unit} <span className="text-quiet">over the layers</span>
        </figcaption>
        {props.children}
      </div>
      <div
        ref={frame}
        role="slider"
        tabIndex={0}
        aria-label="Layer"
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={current}
        aria-valuetext={`${layerTitle(current)}. ${spoken}`}
        aria-busy={isBusy}
        className="cursor-crosshair touch-pan-y rounded-control"
        onClick={(event) => onSelectLayer(layerUnder(event))}
        onPointerMove={onPointerMove}
        onPointerLeave={() => onHoverLayer(null)}
        onKeyDown={onKeyDown}
      >
        <svg
          aria-hidden="true"
          width={width}
          height={HEIGHT}
          className="block max-w-full font-mono text-cell"
        >
          {axis.ticks.map((tick) => (
            <g key={tick}>
              <path
                d={`M${MARGIN.left} ${yOf(tick)}H${MARGIN.left + plotWidth}`}
                className="stroke-line"
                strokeWidth="1"
              />
              <text
                x={MARGIN.left - 8}
                y={yOf(tick)}
                dominantBaseline="central"
                textAnchor="end"
                className="fill-muted"
              >
                {formatTick(tick, metric)}
              </text>
            </g>
          ))}
          {labelledLayers(last, plotWidth, 24).map((layer) => (
            <text
              key={layer}
              x={xOf(layer)}
              y={HEIGHT - MARGIN.bottom + 16}
              textAnchor="middle"
              className="fill-muted"
            >
              {layerLabel(layer)}
            </text>
          ))}
          <text
            x={MARGIN.left + plotWidth / 2}
            y={HEIGHT - 3}
            textAnchor="middle"
            className="fill-quiet font-sans"
          >
            layer
          </text>
          {selectedLayer !== null && (
            <path
              d={`M${xOf(current)} ${MARGIN.top - 4}V${HEIGHT - MARGIN.bottom}`}
              className="stroke-accent"
              strokeWidth="1.5"
            />
          )}
          {hoveredLayer !== null && (
            <path
              d={`M${xOf(hoveredLayer)} ${MARGIN.top - 4}V${HEIGHT - MARGIN.bottom}`}
              className="stroke-line-strong"
              strokeWidth="1"
              strokeDasharray="2 2"
            />
          )}
          {faint.map(({ name, curve, values }) => (
            <path
              key={name}
              data-part="rival"
              d={linePath(pointsOf(curve, values))}
              className="stroke-line-strong"
              fill="none"
              strokeWidth="1"
              strokeLinejoin="round"
            />
          ))}
          {[...linesOfB, ...lines].map((line) => {
            const points = pointsOf(line.curve, line.values);
            return (
              <ChartLine
                key={line.key}
                look={lookOf(line)}
                path={linePath(points)}
                points={points.filter((point) => point !== null)}
              />
            );
          })}
          <path
            d={linePath(pointsOf(preview?.curve ?? null, ghost))}
            className="stroke-muted"
            fill="none"
            strokeWidth="3"
            strokeOpacity="0.55"
            strokeLinejoin="round"
          />
          {ends.map(({ text, isActual, isFaint, y }, i) => (
            <g key={i}>
              <path
                d={`M${MARGIN.left + plotWidth + 6} ${y}L${MARGIN.left + plotWidth + 14} ${endPlaces[i] ?? y}`}
                className="stroke-line-strong"
                strokeWidth="1"
              />
              <text
                x={MARGIN.left + plotWidth + 17}
                y={endPlaces[i] ?? y}
                dominantBaseline="central"
                className={clsx(isFaint ? "fill-quiet" : "fill-ink", isActual && "font-bold")}
                style={{ unicodeBidi: "isolate" }}
              >
                {text}
              </text>
            </g>
          ))}
        </svg>
      </div>
    </figure>
  );
}
