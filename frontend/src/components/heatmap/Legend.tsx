import { type Ramp, type Scale, gradientStops, ticks } from "@/lib/colour";
import { formatCount } from "@/lib/format";
import type { Metric } from "@/lib/metrics";

interface LegendProps {
  readonly metric: Metric;
  readonly scale: Scale;
  readonly ramp: Ramp;
}

/** Labels nearer to an end of the scale than this share of it would run into the end's own label. */
const CLEARANCE = 0.2;

const tickLabel = (value: number): string =>
  Number.isInteger(value) ? formatCount(value) : String(Number(value.toPrecision(3)));

/** What the colours mean: the ramp with its values and unit. The bright end is always the decided one. */
export function Legend({ metric, scale, ramp }: LegendProps) {
  const marks = ticks(scale).filter(
    ({ at }) => at === 0 || at === 1 || (at > CLEARANCE && at < 1 - CLEARANCE / 2),
  );
  return (
    <figure aria-label={`Colour scale: ${metric.title}`} className="min-w-44 max-w-72 flex-1">
      <figcaption className="truncate text-cell text-muted">{metric.unit}</figcaption>
      <div
        className="h-2.5 rounded-[2px]"
        style={{ backgroundImage: `linear-gradient(to right, ${gradientStops(ramp).join(", ")})` }}
      />
      <div className="relative h-4 font-mono text-cell text-muted">
        {marks.map(({ value, at }) => (
          <span
            key={value}
            className="absolute"
            style={{ left: `${100 * at}%`, transform: `translateX(${-100 * at}%)` }}
          >
            {tickLabel(value)}
          </span>
        ))}
      </div>
    </figure>
  );
}
