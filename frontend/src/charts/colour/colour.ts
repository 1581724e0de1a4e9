/**
 * Colour for data: a ramp of 256 colours with its ink, and scales that place a value on it. The
 * bright end always means "decided": high probability, low rank, low entropy, close to the output.
 * A diverging ramp has no such end: its middle is zero, and its hue is the sign. A ramp of differences
 * begins at zero, whichever of its ends is the darker.
 */
import { hexOf, linearRgbOf, oklabOf } from "./oklab";
import { CIVIDIS, VIRIDIS } from "./ramps";

export type RampName = "viridis" | "cividis";

export interface Ramp {
  /** 256 CSS colours, from the scale's `dark` value to its `bright` one. */
  readonly fill: readonly string[];
  /** The text colour on each of them: black or white, whichever contrasts more (at least 4.5:1). */
  readonly ink: readonly string[];
}

const STEPS = 256;
const BLACK = "#000000";
const WHITE = "#ffffff";

/** Relative luminance (WCAG 2.2) of `#rrggbb`. */
export function luminance(colour: string): number {
  const [r, g, b] = linearRgbOf(colour);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast ratio (WCAG 2.2) of two colours, 1 to 21. */
export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** Made when it is first read: all ramps together take 100 ms, and a view needs one or two of them. */
function rampOf(colourAt: (step: number) => string): Ramp {
  let fill: readonly string[] | null = null;
  let ink: readonly string[] | null = null;
  return {
    get fill() {
      return (fill ??= Array.from({ length: STEPS }, (_, step) => colourAt(step)));
    },
    get ink() {
      return (ink ??= this.fill.map((colour) =>
        contrast(colour, BLACK) >= contrast(colour, WHITE) ? BLACK : WHITE,
      ));
    },
  };
}

const tableRamp = (table: string): Ramp => rampOf((step) => `#${table.slice(6 * step, 6 * step + 6)}`);

/** Brown by orange to pink: of each lightness the hue that neither ramp comes near. */
const SECOND_HUES = { dark: 45, bright: 10 } as const;
const SECOND_CHROMA = 0.17;

/** The same lightness at each step in a second hue, so that a value reads alike in both. */
function secondHueOf(ramp: Ramp): Ramp {
  return rampOf((step) => {
    const [lightness] = oklabOf(linearRgbOf(ramp.fill[step] ?? BLACK));
    const hue = SECOND_HUES.dark + (SECOND_HUES.bright - SECOND_HUES.dark) * (step / (STEPS - 1));
    return hexOf(lightness, SECOND_CHROMA, hue);
  });
}

/** Purple and orange, which look different without one kind of cone too. */
const SIGN_HUES = { negative: 295, positive: 60 } as const;
const SIGN_CHROMA = 0.15;

/** From purple through a neutral middle to orange, with lightness the same on both sides. */
function divergingRamp(middle: number, ends: number): Ramp {
  return rampOf((step) => {
    // No step is exactly the middle of 256; the two beside it are equally far from it.
    const side = (2 * step) / (STEPS - 1) - 1;
    const strength = Math.abs(side);
    const hue = side < 0 ? SIGN_HUES.negative : SIGN_HUES.positive;
    return hexOf(middle + (ends - middle) * strength, SIGN_CHROMA * strength, hue);
  });
}

export const RAMPS: Readonly<Record<RampName, Ramp>> = {
  viridis: tableRamp(VIRIDIS),
  cividis: tableRamp(CIVIDIS),
};

/** For cells that are singled out, beside the ramp of the same name. */
export const SECOND_HUE: Readonly<Record<RampName, Ramp>> = {
  viridis: secondHueOf(RAMPS.viridis),
  cividis: secondHueOf(RAMPS.cividis),
};

/** For values with a sign: the middle is close to the page's surface, so that little change looks like little. */
export const DIVERGING: Readonly<Record<"light" | "dark", Ramp>> = {
  light: divergingRamp(0.96, 0.42),
  dark: divergingRamp(0.27, 0.82),
};

/** Blue, which none of the signs is. */
const DIFFERENCE_HUE = 250;

/** From a neutral, where there is no difference, to a strong blue. */
const differenceRamp = (none: number, most: number): Ramp =>
  rampOf((step) => {
    const share = step / (STEPS - 1);
    return hexOf(none + (most - none) * share, SIGN_CHROMA * share, DIFFERENCE_HUE);
  });

/** For differences without a sign: zero is close to the page's surface, so that what differs stands out. */
export const DIFFERENCE: Readonly<Record<"light" | "dark", Ramp>> = {
  light: differenceRamp(0.985, 0.4),
  dark: differenceRamp(0.27, 0.85),
};

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
