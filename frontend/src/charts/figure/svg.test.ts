import { expect, test } from "vitest";
import css from "@/styles/app.css?raw";
import { PAPER, framed } from "./figure";
import { cutText, element, textElement, textWidth, wrapText } from "./svg";

const parse = (svg: string): Document => new DOMParser().parseFromString(svg, "image/svg+xml");

test.each(['<b> & "quotes" ]]>', "\u0000\u001b\ud83d", "مرحبا 你好 😀"])(
  "any text makes well-formed XML: %j",
  (text) => {
    const { svg } = framed(
      { title: text, facts: [text], note: text },
      { width: 100, height: 20, svg: textElement(0, 10, text) + element("rect", { "data-x": text }) },
    );
    const parsed = parse(svg);
    expect(parsed.querySelector("parsererror")).toBeNull();
    // eslint-disable-next-line no-control-regex -- what XML cannot hold
    const shown = text.replace(/[\0\u001b]|\ud83d(?!\ude00)/g, "\ufffd");
    expect(parsed.querySelectorAll("text")).toHaveLength(4);
    for (const each of parsed.querySelectorAll("text, title")) expect(each.textContent).toBe(shown);
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

test("a long line goes on in the next, with every word", () => {
  const lines = wrapText("one two three four five six seven", 10, 70);
  expect(lines.length).toBeGreaterThan(2);
  expect(lines.join(" ")).toBe("one two three four five six seven");
});

test("a figure is as large as what is in it, and has a white ground", () => {
  const figure = framed({ title: "t", facts: [], note: "n" }, { width: 900, height: 300, svg: "" });
  expect(figure.width).toBe(948);
  expect(figure.height).toBeGreaterThan(300);
  const ground = parse(figure.svg).querySelector("rect");
  expect([ground?.getAttribute("width"), ground?.getAttribute("fill")]).toEqual(["948", "#ffffff"]);
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

test.each(Object.entries(PAPER))("paper has the light theme's %s", (name, hex) => {
  const [light = ""] = css.split(":root[data-theme");
  const found = new RegExp(`--${name}: oklch\\(([\\d.]+) ([\\d.]+)(?: ([\\d.]+))?\\)`).exec(light);
  const [lightness, chroma, hue] = [found?.[1], found?.[2], found?.[3]].map(Number);
  expect(name === "surface-raised" ? "#ffffff" : hexOf(lightness ?? 0, chroma ?? 0, hue ?? 0)).toBe(hex);
});
