import { describe, expect, test } from "vitest";
import css from "@/styles/app.css?raw";
import { type FigureStyle, framed } from "./figure";
import { PALETTES } from "./palette";
import { cutText, element, proseWidth, textElement, textWidth, wrapText } from "./svg";

const STYLE: FigureStyle = {
  size: "column",
  theme: "light",
  isTransparent: false,
  hasTitle: true,
  hasCaption: true,
  columns: null,
};

const parse = (svg: string): Document => new DOMParser().parseFromString(svg, "image/svg+xml");

test.each(['<b> & "quotes" ]]>', "\u0000\u001b\ud83d", "مرحبا 你好 😀"])(
  "any text makes well-formed XML: %j",
  (text) => {
    const { svg } = framed(
      { title: text, caption: [text] },
      () => ({
        width: 100,
        height: 20,
        svg: textElement(0, 10, text) + element("rect", { "data-x": text }),
      }),
      STYLE,
    );
    const parsed = parse(svg);
    expect(parsed.querySelector("parsererror")).toBeNull();
    // eslint-disable-next-line no-control-regex -- what XML cannot hold
    const shown = text.replace(/[\0\u001b]|\ud83d(?!\ude00)/g, "\ufffd");
    expect(parsed.querySelectorAll("text")).toHaveLength(3);
    for (const each of parsed.querySelectorAll("text, title, desc")) expect(each.textContent).toBe(shown);
  },
);

test("what is cut says so, and never takes more room than there is", () => {
  expect(cutText("short", 10, 100)).toBe("short");
  for (const text of ["a rather long token", "一个很长的词", "😀😀😀😀😀😀"]) {
    const cut = cutText(text, 10, 40);
    expect(cut.endsWith("…")).toBe(true);
    expect(textWidth(cut, 10)).toBeLessThanOrEqual(40);
  }
  expect(cutText("wide", 10, 3)).toBe("");
});

// Measured in Chromium at weight 600.
test.each([
  ["Computed in float32 over the whole vocabulary", 22.92],
  ["How “·France” was predicted, layer by layer", 21.16],
  ["WAMMING 1234567890 UTC", 14.02],
])("prose gets the room that Inter needs, and little more: %s", (text, width) => {
  expect(proseWidth(text, 1)).toBeGreaterThan(width);
  expect(proseWidth(text, 1)).toBeLessThan(1.1 * width);
});

test("a long line goes on in the next, with every word", () => {
  const lines = wrapText("one two three four five six seven", 10, 70);
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.join(" ")).toBe("one two three four five six seven");
});

test.each([
  ["column", "85mm", "0 0 240.94"],
  ["page", "170mm", "0 0 481.89"],
  ["slide", "338.67mm", "0 0 480"],
] as const)("a figure for a %s is as wide as that, in points", (size, width, viewBox) => {
  let room = 0;
  const figure = framed(
    { title: "t", caption: [] },
    (layout) => {
      room = layout.width;
      return { width: room, height: 300, svg: "" };
    },
    { ...STYLE, size, hasTitle: false, hasCaption: false },
  );
  const root = parse(figure.svg).documentElement;
  expect(root.getAttribute("width")).toBe(width);
  expect(root.getAttribute("viewBox")).toMatch(new RegExp(`^${viewBox}\\b`));
  expect(figure.width - room).toBe(12);
  expect(figure.heightMm / figure.widthMm).toBeCloseTo(312 / figure.width);
});

test("its ground is that of the theme, or none", () => {
  const groundOf = (style: Partial<FigureStyle>): string | null | undefined =>
    parse(
      framed({ title: "t", caption: [] }, () => ({ width: 9, height: 9, svg: "" }), { ...STYLE, ...style })
        .svg,
    )
      .querySelector("rect")
      ?.getAttribute("fill");
  expect(groundOf({})).toBe("#ffffff");
  expect(groundOf({ theme: "dark" })).toBe(PALETTES.dark["surface-raised"]);
  expect(groundOf({ isTransparent: true })).toBeUndefined();
});

/** sRGB of `oklch(L C h)`, after Ottosson. */
function hexOf(lightness: number, chroma: number, hue: number): string {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const hex = linear.map((channel) => {
    const value = Math.min(1, Math.max(0, channel));
    const encoded = value <= 0.0031308 ? 12.92 * value : 1.055 * value ** (1 / 2.4) - 0.055;
    return Math.round(255 * encoded)
      .toString(16)
      .padStart(2, "0");
  });
  return `#${hex.join("")}`;
}

describe.each(["light", "dark"] as const)("the %s palette is the page's", (theme) => {
  const [light = "", dark = ""] = css.split(':root[data-theme="dark"]');
  const rules = theme === "light" ? light : dark;
  test.each(Object.entries(PALETTES[theme]))("%s", (name, hex) => {
    const found = new RegExp(`--${name}: oklch\\(([\\d.]+) ([\\d.]+)(?: ([\\d.]+))?\\)`).exec(rules);
    const [lightness = 0, chroma = 0, hue = 0] = [found?.[1], found?.[2], found?.[3] ?? 0].map(Number);
    expect(hexOf(lightness, chroma, hue)).toBe(hex);
  });
});
