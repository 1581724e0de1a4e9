/**
 * Colour behind running text. One hue that grows stronger, over the page's own surface, so that the
 * text keeps the theme's ink and stays readable at every strength (the ramps of the heatmap would not).
 */
export type TintMetric = "surprisal" | "entropy" | "decided";

export interface Tint {
  /** CSS colour behind the token. */
  readonly background: string;
  /** The value lies beyond the scale's end; shown by a second cue besides colour. */
  readonly isMarked: boolean;
}

export interface TintScale {
  readonly title: string;
  /** Null where the title says it. */
  readonly unit: string | null;
  /** The values are read at layers below the output, so each lens has its own. The output is the same for all. */
  readonly isOfLens: boolean;
  /** Value at full strength. Fixed, so that colours compare across conversations. */
  readonly max: number;
  /** Words for the two ends. */
  readonly low: string;
  readonly high: string;
  /** What the second cue means. */
  readonly marked: string;
}

const STRONGEST_PERCENT = 62;
const STEPS = 24;
/** A hue at every strength, the weakest first. */
export const backgroundsOf = (hue: `--data-tint${string}`): string[] =>
  Array.from(
    { length: STEPS + 1 },
    (_, step) =>
      `color-mix(in oklab, var(${hue}) ${Math.round((step / STEPS) * STRONGEST_PERCENT)}%, transparent)`,
  );
/** CSS background that goes through colours, of which it takes every fourth. */
export const gradientOf = (backgrounds: readonly string[]): string =>
  `linear-gradient(to right, ${backgrounds.filter((_, step) => step % 4 === 0).join(", ")})`;

const BACKGROUNDS = backgroundsOf("--data-tint");
// Shared objects, so that an unchanged tint is the same object and its token is not drawn again.
const PLAIN: readonly Tint[] = BACKGROUNDS.map((background) => ({ background, isMarked: false }));
/** No decision layer: off the scale. */
const NOWHERE: Tint = { background: "transparent", isMarked: true };
const MARKED: Tint = { background: BACKGROUNDS[STEPS] ?? "transparent", isMarked: true };

export const TINT_GRADIENT = gradientOf(BACKGROUNDS);

export function tintScale(metric: TintMetric, nLayers: number): TintScale {
  switch (metric) {
    case "surprisal":
      return {
        title: "Surprisal",
        unit: "nats",
        isOfLens: false,
        max: 10,
        low: "0 expected",
        high: "10",
        marked: "over 10 nats",
      };
    case "entropy":
      return {
        title: "Entropy before the token",
        unit: "nats",
        isOfLens: false,
        max: 8,
        low: "0 certain",
        high: "8",
        marked: "over 8 nats",
      };
    case "decided":
      return {
        title: "Decision layer: the token stays top-1 from there up to the output",
        unit: null,
        isOfLens: true,
        max: nLayers,
        low: "embed",
        high: `${nLayers}`,
        marked: "another token is top-1 at the output",
      };
  }
}

export function tintOf(value: number, max: number): Tint {
  if (value === Number.POSITIVE_INFINITY) return NOWHERE;
  if (value > max) return MARKED;
  return PLAIN[Math.max(0, Math.round((value / max) * STEPS))] ?? MARKED;
}
