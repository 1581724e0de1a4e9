import { expect, test } from "vitest";
import { found, recentFirst, tokenIndexIn, tokensLike, withLatest } from "./ranking";

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

test("letters in their order stand for a word where no word begins with them", () => {
  expect(labels("htmp")).toEqual(["Open Heatmap"]);
  expect(labels("opn stdrd")).toEqual(["Open Standard"]);
  expect(labels("pmth")).toEqual([]);
});

test("a label that begins with the query comes first, with its group", () => {
  expect(labels("e")[0]).toBe("Export SVG picture");
});

test("what was run last stands first, once, four at most, and only while it can be run", () => {
  const run = ["Open Heatmap", "Use the dark theme", "Open Heatmap"].map((label) =>
    COMMANDS.find((each) => each.label === label),
  );
  const recent = run.reduce<string[]>(
    (keys, each) => (each === undefined ? keys : withLatest(keys, each)),
    [],
  );
  expect(recent).toHaveLength(2);
  const listed = recentFirst(COMMANDS, [...recent, "View Open Gone"]);
  expect(listed.map(({ label }) => label)).toEqual([
    "Open Heatmap",
    "Use the dark theme",
    "Open Standard",
    "Export SVG picture",
    "Run “A café”",
  ]);
  expect(listed.map(({ group }) => group).slice(0, 3)).toEqual(["Recent", "Recent", "View"]);
  const many = ["a", "b", "c", "d", "e"].map((label) => ({ group: "Page", label }));
  expect(many.reduce<string[]>(withLatest, [])).toEqual(["Page e", "Page d", "Page c", "Page b"]);
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
