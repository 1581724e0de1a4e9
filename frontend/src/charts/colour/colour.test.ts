import { describe, expect, test } from "vitest";
import {
  DIFFERENCE,
  DIVERGING,
  RAMPS,
  SECOND_HUE,
  type Ramp,
  type Scale,
  contrast,
  fraction,
  gradientStops,
  luminance,
  rampStep,
  roundUp,
  ticks,
} from "./colour";
import { linearRgbOf, oklabOf } from "./oklab";

const distance = (one: string, other: string): number => {
  const [a, b] = [oklabOf(linearRgbOf(one)), oklabOf(linearRgbOf(other))];
  return Math.hypot(...a.map((part, i) => part - (b[i] ?? 0)));
};

const named = (name: string, ramps: object) =>
  Object.entries(ramps).map(([key, ramp]) => [`${name} ${key}`, ramp] as [string, Ramp]);
const SEQUENTIAL = [...named("plain", RAMPS), ...named("second hue of", SECOND_HUE)];
const EVERY = [...SEQUENTIAL, ...named("diverging,", DIVERGING), ...named("difference,", DIFFERENCE)];

test.each(EVERY)("%s has ink of at least 4.5:1 on each of its 256 colours", (_, ramp) => {
  expect(ramp.fill).toHaveLength(256);
  const poor = ramp.fill.filter((colour, step) => contrast(colour, ramp.ink[step] ?? colour) < 4.5);
  expect(poor).toEqual([]);
});

describe.each(SEQUENTIAL)("%s", (_, ramp) => {
  test("has 256 colours whose lightness rises from end to end", () => {
    expect(ramp.fill).toHaveLength(256);
    const lightness = ramp.fill.map(luminance);
    // Neighbours are rounded to whole channel values, so only every eighth step must be lighter.
    for (let step = 8; step < 256; step += 1) {
      expect(lightness[step]).toBeGreaterThan(lightness[step - 8] ?? 1);
    }
  });
});

test.each(Object.keys(RAMPS) as (keyof typeof RAMPS)[])(
  "the second hue of %s is as light, and far from it",
  (name) => {
    RAMPS[name].fill.forEach((colour, step) => {
      const second = SECOND_HUE[name].fill[step] ?? "";
      expect(oklabOf(linearRgbOf(second))[0]).toBeCloseTo(oklabOf(linearRgbOf(colour))[0], 2);
      expect(distance(colour, second)).toBeGreaterThan(0.14);
    });
  },
);

test.each(Object.entries(DIVERGING))(
  "the diverging ramp of the %s theme is neutral in the middle and even",
  (_, ramp) => {
    const [middle, beside] = [ramp.fill[127] ?? "", ramp.fill[128] ?? ""];
    expect(distance(middle, beside)).toBeLessThan(0.01);
    for (let step = 8; step < 128; step += 8) {
      const [less, more] = [ramp.fill[127 - step] ?? "", ramp.fill[128 + step] ?? ""];
      expect(oklabOf(linearRgbOf(less))[0]).toBeCloseTo(oklabOf(linearRgbOf(more))[0], 2);
      expect(distance(less, middle)).toBeGreaterThan(distance(ramp.fill[127 - step + 8] ?? "", middle));
      if (step >= 16) expect(distance(less, more)).toBeGreaterThan(0.03);
    }
  },
);

test.each(Object.entries(DIFFERENCE))(
  "the ramp of differences of the %s theme begins neutral and goes one way in even steps",
  (theme, ramp) => {
    const lightness = ramp.fill.map((colour) => oklabOf(linearRgbOf(colour))[0]);
    const [a, b] = oklabOf(linearRgbOf(ramp.fill[0] ?? "")).slice(1);
    expect(Math.hypot(a ?? 1, b ?? 1)).toBeLessThan(0.01);
    const way = theme === "light" ? -1 : 1;
    for (let step = 8; step < 256; step += 8) {
      expect(way * ((lightness[step] ?? 0) - (lightness[step - 8] ?? 0))).toBeGreaterThan(0.01);
    }
  },
);

test("the tables are the published ones at both ends and in the middle", () => {
  expect([0, 128, 255].map((step) => RAMPS.viridis.fill[step])).toEqual(["#440154", "#21918c", "#fde725"]);
  expect([0, 128, 255].map((step) => RAMPS.cividis.fill[step])).toEqual(["#00224e", "#7d7c78", "#fee838"]);
});

test("contrast is that of the guidelines", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});

const RANK: Scale = { kind: "log", dark: 10000, bright: 1 };
const ENTROPY: Scale = { kind: "linear", dark: 10, bright: 0 };

test("a log scale gives each power of ten the same share, rank 1 the bright end", () => {
  expect([1, 10, 100, 1000, 10000].map((rank) => fraction(RANK, rank))).toEqual([
    1,
    expect.closeTo(0.75),
    expect.closeTo(0.5),
    expect.closeTo(0.25),
    0,
  ]);
});

test("values beyond an end stay at it", () => {
  expect(rampStep(ENTROPY, 12)).toBe(0);
  expect(rampStep(ENTROPY, 0)).toBe(255);
  expect(rampStep(ENTROPY, -1)).toBe(255);
  expect(fraction({ kind: "linear", dark: 3, bright: 3 }, 3)).toBe(1);
});

test("ticks run from the dark end to the bright end", () => {
  expect(ticks(RANK).map((tick) => tick.value)).toEqual([10000, 1000, 100, 10, 1]);
  expect(ticks(ENTROPY)).toEqual([
    { value: 10, at: 0 },
    { value: 5, at: 0.5 },
    { value: 0, at: 1 },
  ]);
});

test("gradients keep both ends of the ramp", () => {
  const stops = gradientStops(RAMPS.viridis, 5);
  expect([stops[0], stops.length, stops[4]]).toEqual(["#440154", 5, "#fde725"]);
});

test.each([
  [0.7, 1],
  [1, 1],
  [1.2, 2],
  [13, 20],
  [0.03, 0.05],
  [0, 1],
])("%s rounds up to %s", (value, end) => {
  expect(roundUp(value)).toBeCloseTo(end, 12);
});
