import { expect, test } from "vitest";
import { PALETTES } from "@/charts/figure/palette";
import { POINTS_PER_MM } from "@/charts/figure/size";
import type { Token } from "@/model/timeline";
import { idOf, madeUpTokens } from "@/test/lensData";
import { drawMap } from "./drawMap";
import type { MapRow } from "./grid";
import { patchTexts } from "./texts";

/** A column of a paper, less the margins of a figure. */
const LAYOUT = {
  width: 85 * POINTS_PER_MM - 12,
  maxHeight: 500,
  theme: "light",
  palette: PALETTES.light,
  columns: null,
} as const;

/** Two texts that differ at `changed`, and a map in which the last position and that one carry something. */
function drawn(length: number, changed: number): SVGSVGElement {
  const a: Token[] = madeUpTokens(length).map((token) => ({ ...token, role: "user" }));
  const b = a.map((token) =>
    token.index === changed ? { ...token, id: idOf(" river"), text: " river", bytes: btoa(" river") } : token,
  );
  const text = (tokens: readonly Token[]) => ({ source: { conversation_id: "own" }, tokens });
  const texts = patchTexts(text(a), text(b), null);
  const rows: MapRow[] = [1, 0].map((layer) => ({
    layer,
    scores: texts.pairs.map((_, pair) => (pair === changed ? 0.6 : pair === length - 1 ? 0.9 : 0)),
  }));
  const { svg } = drawMap(texts, rows, "score: 0 is B alone, 1 is A alone", LAYOUT);
  const document = new DOMParser().parseFromString(
    `<svg xmlns="http://www.w3.org/2000/svg">${svg}</svg>`,
    "image/svg+xml",
  );
  const root = document.documentElement;
  if (!(root instanceof SVGSVGElement)) throw new Error("it is no picture");
  return root;
}
const wordsOf = (picture: SVGSVGElement): string[] =>
  [...picture.querySelectorAll("text")].map(({ textContent }) => textContent);

test("a long map in a column of a paper names the word that differs and the last one", () => {
  const picture = drawn(60, 8);
  const turned = [...picture.querySelectorAll("text[transform]")].map(({ textContent }) => textContent);
  const last = madeUpTokens(60).at(-1)?.text.replace(" ", "·") ?? "";
  expect(turned.some((name) => name.endsWith(" / ·river"))).toBe(true);
  expect(turned).toContain(last);
});

test("the names of a long map do not touch each other", () => {
  const at = [...drawn(60, 8).querySelectorAll("text[transform]")]
    .map((each) => Number(/translate\(([\d.]+)/.exec(each.getAttribute("transform") ?? "")?.[1]))
    .sort((x, y) => x - y);
  expect(at.length).toBeGreaterThan(2);
  for (let i = 1; i < at.length; i += 1) expect((at[i] ?? 0) - (at[i - 1] ?? 0)).toBeGreaterThanOrEqual(7.9);
});

test("positions before the first difference, which carry nothing, are no columns", () => {
  expect(drawn(60, 50).querySelectorAll("rect.cell")).toHaveLength(2 * 10);
});

test("the colours have a scale with its unit", () => {
  expect(wordsOf(drawn(12, 3))).toEqual(
    expect.arrayContaining(["score: 0 is B alone, 1 is A alone", "-1", "0", "1"]),
  );
});
