import { type KeyboardEvent, type PointerEvent, useId } from "react";
import { isBrowserCommand } from "@/base/keys";
import { linePath, probabilityAxis, shareOf } from "@/charts/lines/chart";
import { formatProbability } from "@/model/format";
import { useElementWidth } from "@/ui/useElementWidth";
import { formatStrength } from "@/features/steering/inWords";
import type { DosePoint } from "@/reading/dose";

interface DoseChartProps {
  /** Null until they are read. */
  readonly points: readonly DosePoint[] | null;
  /** How far the curve goes to both sides. */
  readonly reach: number;
  readonly strength: number;
  /** The token whose probability it is, as a phrase. */
  readonly target: string;
  readonly onChange: (strength: number) => void;
}

const HEIGHT = 168;
const MARGIN = { top: 10, right: 12, bottom: 22, left: 44 } as const;
/** Steps of the arrow keys, as parts of the reach. */
const KEY_STEPS = 20;

/** The target's probability over the strength, and that under a random direction. A slider for the strength. */
export function DoseChart({ points: read, reach, strength, target, onChange }: DoseChartProps) {
  const [frame, width] = useElementWidth<HTMLDivElement>(560);
  const captionId = useId();
  const weakest = -reach;
  const plotWidth = Math.max(40, width - MARGIN.left - MARGIN.right);
  const plotHeight = HEIGHT - MARGIN.top - MARGIN.bottom;
  const points = read ?? [];
  const axis = probabilityAxis([0.01, ...points.flatMap(({ target: p, control }) => [p, control])]);
  const xOf = (value: number): number => MARGIN.left + ((value + reach) / (2 * reach)) * plotWidth;
  const yOf = (value: number): number => MARGIN.top + (1 - shareOf(axis, value)) * plotHeight;
  const pathOf = (of: "target" | "control"): string =>
    linePath(points.map((point) => ({ x: xOf(point.strength), y: yOf(point[of]) })));
  const strengthUnder = (event: PointerEvent): number => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - box.left - MARGIN.left) / plotWidth;
    const within = Math.min(1, Math.max(0, share));
    return rounded((2 * within - 1) * reach, reach);
  };
  const onPointer = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.type === "pointerdown") event.currentTarget.setPointerCapture(event.pointerId);
    if (event.buttons === 1) onChange(strengthUnder(event));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowserCommand(event)) return;
    const sign = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    const next =
      event.key === "Home"
        ? -reach
        : event.key === "End"
          ? reach
          : sign && strength + (sign * reach) / KEY_STEPS;
    if (next === undefined) return;
    event.preventDefault();
    onChange(rounded(next, reach));
  };
  const near = points.reduce<DosePoint | null>(
    (best, point) =>
      best === null || Math.abs(point.strength - strength) < Math.abs(best.strength - strength)
        ? point
        : best,
    null,
  );
  const spoken =
    near === null
      ? ""
      : `. At ${formatStrength(near.strength)}: ${formatProbability(near.target)}; random direction ${formatProbability(near.control)}`;
  return (
    <figure aria-labelledby={captionId} className="min-w-0">
      <figcaption id={captionId} className="flex flex-wrap gap-x-4 text-label text-muted">
        <span>
          <Line isControl={false} /> probability of {target}
        </span>
        <span>
          <Line isControl /> random direction of the same length
        </span>
      </figcaption>
      <div
        ref={frame}
        role="slider"
        tabIndex={0}
        aria-label="Strength"
        aria-valuemin={weakest}
        aria-valuemax={reach}
        aria-valuenow={strength}
        aria-valuetext={`Strength ${formatStrength(strength)}${spoken}`}
        aria-busy={read === null}
        onPointerDown={onPointer}
        onPointerMove={onPointer}
        onKeyDown={onKeyDown}
        className="cursor-crosshair touch-pan-y rounded-control"
      >
        <svg
          aria-hidden="true"
          width={width}
          height={HEIGHT}
          className="block max-w-full font-mono text-cell"
        >
          {axis.ticks.map((tick) => (
            <g key={tick}>
              <path d={`M${MARGIN.left} ${yOf(tick)}H${MARGIN.left + plotWidth}`} className="stroke-line" />
              <text
                x={MARGIN.left - 6}
                y={yOf(tick)}
                dominantBaseline="central"
                textAnchor="end"
                className="fill-muted"
              >
                {Number(tick.toFixed(4))}
              </text>
            </g>
          ))}
          {[-reach, -reach / 2, 0, reach / 2, reach].map((tick) => (
            <text
              key={tick}
              x={xOf(tick)}
              y={HEIGHT - 6}
              textAnchor={tick === reach ? "end" : "middle"}
              className="fill-muted"
            >
              {formatStrength(tick)}
            </text>
          ))}
          <path
            d={`M${xOf(0)} ${MARGIN.top}V${HEIGHT - MARGIN.bottom}`}
            className="stroke-line-strong"
            strokeDasharray="2 3"
          />
          <path
            d={`M${xOf(strength)} ${MARGIN.top - 4}V${HEIGHT - MARGIN.bottom}`}
            className="stroke-accent"
            strokeWidth="1.5"
          />
          <path
            d={pathOf("control")}
            fill="none"
            className="stroke-quiet"
            strokeWidth="1.5"
            strokeDasharray="5 3"
          />
          <path d={pathOf("target")} fill="none" stroke="var(--series-2)" strokeWidth="2" />
          {points.map((point) => (
            <circle
              key={point.strength}
              cx={xOf(point.strength)}
              cy={yOf(point.target)}
              r="2.5"
              fill="var(--series-2)"
            />
          ))}
        </svg>
      </div>
    </figure>
  );
}

/** To a hundredth of the reach, so that a drag gives numbers that can be typed. */
const rounded = (value: number, reach: number): number => Math.round((value / reach) * 100) * (reach / 100);

function Line({ isControl }: { readonly isControl: boolean }) {
  return (
    <svg aria-hidden="true" width="20" height="8" className="inline-block align-middle">
      <path
        d="M0 4H20"
        fill="none"
        stroke={isControl ? "var(--text-quiet)" : "var(--series-2)"}
        strokeWidth={isControl ? 1.5 : 2}
        strokeDasharray={isControl ? "5 3" : undefined}
      />
    </svg>
  );
}
