import { expect, test } from "vitest";
import { found, tokenIndexIn } from "./ranking";

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
