import clsx from "clsx";
import type { ReactNode } from "react";
import { type Ramp, type Scale, gradientStops, ticks } from "@/charts/colour/colour";
import { formatCount } from "@/model/format";

interface LegendProps {
  readonly metric: {
    readonly title: string;
    readonly unit: string;
    readonly explanation: string;
    /** Zero is a middle, and the sign matters. */
    readonly isSigned: boolean;
    /** What its smallest and its largest value mean. */
    readonly ends?: { readonly low: string; readonly high: string };
  };
  readonly scale: Scale;
  readonly ramp: Ramp;
  /** The ramp of what is highlighted and its meaning; null where nothing is. */
  readonly second: { readonly ramp: Ramp; readonly meaning: string } | null;
  /** Cells whose value lies beyond the scale. */
  readonly nClipped: number;
  /** What the cells are coloured by is named here, as always on a narrow screen: it is chosen elsewhere. */
  readonly isNamed?: boolean;
  /** A choice that concerns the scale. */
  readonly children?: ReactNode;
}

/** Labels nearer to an end of the scale than this share of it would run into the end's own label. */
const CLEARANCE = 0.2;
/** A step of a ramp that shows its hue well. */
const SAMPLE_STEP = 150;

function tickLabel(value: number, isSigned: boolean): string {
  const size = Math.abs(value);
  const text = Number.isInteger(size) ? formatCount(size) : String(Number(size.toPrecision(3)));
  return value < 0 ? `−${text}` : isSigned && value > 0 ? `+${text}` : text;
}

/** The ramp with its values and unit, the smallest at the left. */
export function Legend({ metric, scale, ramp, second, nClipped, isNamed = false, children }: LegendProps) {
  // Small values are at the left, whichever end of the ramp they have.
  const isReversed = scale.dark > scale.bright;
  const marks = ticks(scale)
    .map(({ value, at }) => ({ value, at: isReversed ? 1 - at : at }))
    .sort((a, b) => a.at - b.at)
    .filter(({ at }) => at === 0 || at === 1 || (at > CLEARANCE && at < 1 - CLEARANCE));
  const wordAt = (at: number): string =>
    metric.ends === undefined ? "" : at === 0 ? metric.ends.low : at === 1 ? metric.ends.high : "";
  return (
    <figure
      aria-label={`Colour scale: ${metric.title}`}
      className="flex min-w-0 flex-[1_1_19rem] flex-wrap gap-x-4 gap-y-1 text-cell text-muted max-md:order-last max-md:basis-full max-md:gap-y-0"
    >
      <figcaption title={metric.explanation} className={clsx("basis-full truncate", !isNamed && "md:hidden")}>
        {metric.title}: {metric.unit}
      </figcaption>
      <div className="max-w-80 min-w-52 flex-1 max-md:min-w-40">
        <figcaption
          title={metric.explanation}
          className={clsx("truncate", isNamed ? "hidden" : "max-md:hidden")}
        >
          {metric.unit}
        </figcaption>
        <Gradient
          ramp={ramp}
          isReversed={isReversed}
          className={second === null ? "rounded-[2px]" : "rounded-t-[2px]"}
        />
        {second !== null && (
          <Gradient ramp={second.ramp} isReversed={isReversed} className="rounded-b-[2px]" />
        )}
        <div className="relative h-4 font-mono">
          {marks.map(({ value, at }) => (
            <span
              key={value}
              className={clsx("absolute flex gap-1 whitespace-nowrap", at === 1 && "flex-row-reverse")}
              style={{ left: `${100 * at}%`, transform: `translateX(${-100 * at}%)` }}
            >
              <span>{tickLabel(value, metric.isSigned)}</span>
              {wordAt(at) !== "" && <span className="font-sans text-ink">{wordAt(at)}</span>}
            </span>
          ))}
        </div>
      </div>
      <div className="min-w-0 max-md:max-w-1/2">
        {second !== null && (
          <p>
            <span
              aria-hidden="true"
              className="mr-1.5 inline-block h-2.5 w-4 rounded-[2px] border-l-2 border-ink align-[-1px]"
              style={{ background: second.ramp.fill[SAMPLE_STEP] }}
            />
            {second.meaning}
          </p>
        )}
        {nClipped > 0 && (
          <p>
            <span aria-hidden="true">◢</span> beyond the scale: {formatCount(nClipped)}{" "}
            {nClipped === 1 ? "cell" : "cells"}
            <span className="max-md:hidden">; the card has the number</span>
          </p>
        )}
        {children}
      </div>
    </figure>
  );
}

interface GradientProps {
  readonly ramp: Ramp;
  /** The bright end is at the left. */
  readonly isReversed: boolean;
  readonly className: string;
}

function Gradient({ ramp, isReversed, className }: GradientProps) {
  const direction = isReversed ? "to left" : "to right";
  return (
    <div
      className={`h-2.5 ${className}`}
      style={{ backgroundImage: `linear-gradient(${direction}, ${gradientStops(ramp).join(", ")})` }}
    />
  );
}
