import { afterEach, expect, test, vi } from "vitest";
import { DATA } from "./figure";
import { fontFilesOf } from "./fonts";
import { element, textElement } from "./svg";

const svgOf = (...texts: readonly string[]): string =>
  element("svg", { xmlns: "http://www.w3.org/2000/svg", "font-family": "'Inter Variable'" }, ...texts);
const named = (svg: string): string[] =>
  fontFilesOf(svg).map(({ family, weight, url }) => {
    const script = /(latin-ext|latin|cyrillic|greek)/.exec(url)?.[1] ?? url;
    return `${family} ${weight} ${script}`;
  });

afterEach(() => vi.unstubAllGlobals());

test("a figure gets the fonts of its own characters only, by family, weight and script", () => {
  expect(named(svgOf(textElement(0, 0, "layer")))).toEqual(["Inter Variable 100 900 latin"]);
  expect(named(svgOf(textElement(0, 0, "·Paris", DATA)))).toEqual(["JetBrains Mono 400 latin"]);
  expect(named(svgOf(textElement(0, 0, "Ωд", { ...DATA, "font-weight": 700 }))).toSorted()).toEqual([
    "JetBrains Mono 700 cyrillic",
    "JetBrains Mono 700 greek",
  ]);
  expect(named(svgOf(textElement(0, 0, "你好", DATA)))).toEqual([]);
});

test("the fonts stand in the SVG as data, and one that failed is asked for again", async () => {
  // Other files may have fetched the same font before.
  vi.resetModules();
  const { withFonts } = await import("./fonts");
  const fetched = vi.fn<(url: string) => Promise<Response>>();
  vi.stubGlobal("fetch", fetched);
  const svg = svgOf(textElement(0, 0, "layer"));
  fetched.mockResolvedValueOnce(new Response(null, { status: 503 }));
  await expect(withFonts(svg)).rejects.toThrow("could not be fetched");

  fetched.mockResolvedValueOnce(new Response(new Uint8Array([1, 2, 3])));
  const whole = await withFonts(svg);
  expect(whole).toMatch(
    /^<svg[^>]*><style>@font-face\{font-family:"Inter Variable";font-weight:100 900;unicode-range:U\+0000-00FF[^;]*;src:url\(data:font\/woff2;base64,AQID\) format\("woff2"\)\}<\/style><text/,
  );
  expect(await withFonts(svg)).toBe(whole);
  expect(fetched).toHaveBeenCalledTimes(2);
});
