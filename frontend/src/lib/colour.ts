/**
 * Colour for data: a ramp of 256 colours with its ink, and scales that place a value on it. The
 * bright end always means "decided": high probability, low rank, low entropy, close to the output.
 */
import { CIVIDIS, VIRIDIS } from "./ramps";

export type RampName = "viridis" | "cividis";

export interface Ramp {
  /** 256 CSS colours, dark to bright. */
  readonly fill: readonly string[];
  /** The text colour on each of them: black or white, whichever contrasts more (at least 4.5:1). */
  readonly ink: readonly string[];
}

const STEPS = 256;
const BLACK = "#000000";
const WHITE = "#ffffff";

const channel = (hex: string): number => {
  const value = Number.parseInt(hex, 16) / 255;
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
};

/** Relative luminance (WCAG 2.2) of `#rrggbb`. */
export const luminance = (colour: string): number =>
  0.2126 * channel(colour.slice(1, 3)) +
  0.7152 * channel(colour.slice(3, 5)) +
  0.0722 * channel(colour.slice(5, 7));

/** Contrast ratio (WCAG 2.2) of two colours, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

function rampOf(table: string): Ramp {
  const fill = Array.from({ length: STEPS }, (_, step) => `#${table.slice(6 * step, 6 * step + 6)}`);
  return {
    fill,
    ink: fill.map((colour) => (contrast(colour, BLACK) >= contrast(colour, WHITE) ? BLACK : WHITE)),
  };
}

export const RAMPS: Readonly<Record<RampName, Ramp>> = { viridis: rampOf(VIRIDIS), cividis: rampOf(CIVIDIS) };

/** From the dark end's value to the bright end's; `log` scales need both above zero. */
export interface Scale {
  readonly kind: "linear" | "log";
  readonly dark: number;
  readonly bright: number;
}

/** Where a value lies between the dark end (0) and the bright end (1); values beyond an end stay at it. */
export function fraction(scale: Scale, value: number): number {
  const { dark, bright } = scale;
  if (dark === bright) return 1;
  const share =
    scale.kind === "log"
      ? (Math.log(value) - Math.log(dark)) / (Math.log(bright) - Math.log(dark))
      : (value - dark) / (bright - dark);
  return Math.min(1, Math.max(0, share));
}

/** Index into a ramp's tables. */
export const rampStep = (scale: Scale, value: number): number =>
  Math.round(fraction(scale, value) * (STEPS - 1));

/** CSS colours along a ramp, for a gradient. */
export const gradientStops = (ramp: Ramp, count = 16): string[] =>
  Array.from({ length: count }, (_, i) => ramp.fill[Math.round((i / (count - 1)) * (STEPS - 1))] ?? BLACK);

/** The smallest of 1, 2 or 5 times a power of ten that is at least `value`: a calm end for a data-driven scale. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** Values to label on a scale: its two ends, and on a log scale the powers of ten between them. */
export function ticks(scale: Scale): { readonly value: number; readonly at: number }[] {
  const { dark, bright, kind } = scale;
  const values =
    kind === "linear"
      ? [dark, (dark + bright) / 2, bright]
      : [dark, ...powersOfTen(Math.min(dark, bright), Math.max(dark, bright)), bright];
  return values.map((value) => ({ value, at: fraction(scale, value) })).sort((a, b) => a.at - b.at);
}

const powersOfTen = (low: number, high: number): number[] => {
  const powers: number[] = [];
  for (let power = 10; power < high; power *= 10) if (power > low) powers.push(power);
  return powers;
};
