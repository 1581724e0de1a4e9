import { describe, expect, test } from "vitest";
import { MAX_PINNED_TOKENS } from "@/features/pins/pins";
import { ACTUAL_PAINT, PIN_PAINTS } from "@/views/Trajectories/lineLook";
import css from "./app.css?raw";

type Rgb = readonly [number, number, number];

/** Linear sRGB of `oklch(L C h)`, after Ottosson. */
function linearRgb(lightness: number, chroma: number, hue: number): Rgb {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

const luminance = ([r, g, b]: Rgb): number => 0.2126 * r + 0.7152 * g + 0.0722 * b;

const contrast = (one: Rgb, other: Rgb): number => {
  const [x, y] = [luminance(one), luminance(other)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
};

const distance = (one: Rgb, other: Rgb): number =>
  Math.hypot(
    ...one.map((channel, i) => Math.cbrt(Math.max(0, channel)) - Math.cbrt(Math.max(0, other[i] ?? 0))),
  );

/** As it is seen without one kind of cone (Machado, Oliveira and Fernandes 2009, severity 1). */
const VISIONS: Readonly<Record<string, readonly [Rgb, Rgb, Rgb]>> = {
  "all cones": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
};

const seen = ([r, g, b]: Rgb, [red, green, blue]: readonly [Rgb, Rgb, Rgb]): Rgb => [
  red[0] * r + red[1] * g + red[2] * b,
  green[0] * r + green[1] * g + green[2] * b,
  blue[0] * r + blue[1] * g + blue[2] * b,
];

const [light = "", dark = ""] = css.split(":root[data-theme");

function colourOf(theme: string, name: string): Rgb {
  const found = new RegExp(`${name}: oklch\\(([\\d.]+) ([\\d.]+) ([\\d.]+)\\)`).exec(theme);
  if (found === null) throw new Error(`no colour ${name}`);
  return linearRgb(Number(found[1]), Number(found[2]), Number(found[3]));
}

describe.each([
  ["light", light],
  ["dark", dark],
])("the lines of the %s theme", (_, theme) => {
  const lines = PIN_PAINTS.map((paint) => colourOf(theme, `--${paint}`));

  test("are as many as there are tokens to be pinned", () => {
    expect(new Set(PIN_PAINTS).size).toBe(MAX_PINNED_TOKENS);
  });

  test("stand out from the surface they are drawn on by 3:1", () => {
    const surface = colourOf(theme, "--surface-raised");
    for (const line of lines) expect(contrast(line, surface)).toBeGreaterThanOrEqual(3);
  });

  const actual = colourOf(theme, `--${ACTUAL_PAINT}`);

  test("have the actual token's among them, which stands out more than any of a pin", () => {
    const surface = colourOf(theme, "--surface-raised");
    for (const line of lines) expect(contrast(actual, surface)).toBeGreaterThan(contrast(line, surface));
  });

  // Besides, it is heavier and has a mark of its own, and nothing else in the chart is without a hue.
  test.each(Object.entries(VISIONS))("differ from the actual token's, seen with %s", (__, vision) => {
    for (const line of lines) expect(distance(seen(line, vision), seen(actual, vision))).toBeGreaterThan(0.1);
  });

  test.each(Object.entries(VISIONS))("differ from each other, seen with %s", (__, vision) => {
    lines.forEach((line, i) => {
      for (const other of lines.slice(i + 1)) {
        expect(distance(seen(line, vision), seen(other, vision))).toBeGreaterThan(0.05);
      }
    });
  });
});
