import { expect, test } from "vitest";
import { found, tokenIndexIn, tokensLike } from "./ranking";

const COMMANDS = [
  { group: "View", label: "Open Standard", words: "1 layers" },
  { group: "View", label: "Open Heatmap", words: "2" },
  { group: "Export", label: "Export SVG picture", words: "save download vector" },
  { group: "Page", label: "Use the dark theme" },
  { group: "Examples", label: "Run “A café”" },
];
const labels = (query: string): string[] => found(COMMANDS, query).map(({ label }) => label);

test("nothing asked lists everything in its order", () => {
  expect(labels("  ")).toEqual(COMMANDS.map(({ label }) => label));
});

test("every word must begin one of the command's, in any order, without accents or case", () => {
  expect(labels("HEAT")).toEqual(["Open Heatmap"]);
  expect(labels("theme dark")).toEqual(["Use the dark theme"]);
  expect(labels("vector")).toEqual(["Export SVG picture"]);
  expect(labels("cafe")).toEqual(["Run “A café”"]);
  expect(labels("heat dark")).toEqual([]);
  expect(labels("ark")).toEqual([]);
});

test("a label that begins with the query comes first, with its group", () => {
  expect(labels("e")[0]).toBe("Export SVG picture");
});

test("a number is a token", () => {
  expect(tokenIndexIn("12")).toBe(12);
  expect(tokenIndexIn(" go to token 7 ")).toBe(7);
  expect(tokenIndexIn("#3")).toBe(3);
  expect(tokenIndexIn("1.5")).toBeNull();
  expect(tokenIndexIn("token")).toBeNull();
});

test("tokens are found by how they begin, five at most and from two letters on", () => {
  const tokens = [" Paris", "paris", " par", " Café", " the", ...Array.from({ length: 9 }, () => " it")].map(
    (text, index) => ({ text, index }),
  );
  const indices = (query: string): number[] => tokensLike(tokens, query).map(({ index }) => index);
  expect(indices("PAR")).toEqual([0, 1, 2]);
  expect(indices(" cafe ")).toEqual([3]);
  expect(indices("it")).toHaveLength(5);
  expect(indices("t")).toEqual([]);
});
