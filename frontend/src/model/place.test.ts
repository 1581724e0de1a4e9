import { describe, expect, test } from "vitest";
import {
  NOWHERE,
  type Place,
  atIndex,
  atLayer,
  indexOf,
  isSamePlace,
  layerOf,
  placeWords,
  readPlace,
} from "./place";

const PLACES: readonly (readonly [string, Place])[] = [
  ["", NOWHERE],
  ["t=3", { kind: "token", index: 3 }],
  ["t=3&l=0", { kind: "layer", index: 3, layer: 0 }],
  ["l=4", { kind: "layer", index: null, layer: 4 }],
  ["t=3&b=5", { kind: "block", index: 3, block: 5 }],
  ["t=3&b=5&h=0", { kind: "head", index: 3, block: 5, head: 0, second: null }],
  ["t=3&b=5&h=7&s=0", { kind: "head", index: 3, block: 5, head: 7, second: 0 }],
];

const written = (place: Place): string =>
  new URLSearchParams(placeWords(place).map(([name, text]) => [name, text])).toString();

describe("the address of a place", () => {
  test.each(PLACES)("“%s” is written and read back", (query, place) => {
    expect(written(place)).toBe(query);
    expect(readPlace(new URLSearchParams(query))).toEqual(place);
  });

  test.each([
    ["t=3&h=7", "t=3"],
    ["t=3&s=1", "t=3"],
    ["b=5&h=7", ""],
    ["t=3&b=0", "t=3"],
    ["t=3&b=5&s=1", "t=3&b=5"],
    ["t=3&l=2&b=5&h=7", "t=3&l=2"],
    ["t=-1&l=1.25", ""],
    ["t=1e3&l=9999999", ""],
    ["t=3&b=five&h=7&q=x", "t=3"],
  ])("of “%s” what makes sense is “%s”", (query, kept) => {
    expect(written(readPlace(new URLSearchParams(query)))).toBe(kept);
  });
});

test("a view that knows layers only sees the layer after a block", () => {
  expect(PLACES.map(([, place]) => [indexOf(place), layerOf(place)])).toEqual([
    [null, null],
    [3, null],
    [3, 0],
    [null, 4],
    [3, 5],
    [3, 5],
    [3, 5],
  ]);
});

test("layer and head are followed from token to token", () => {
  expect(PLACES.map(([, place]) => written(atIndex(place, 9)))).toEqual([
    "t=9",
    "t=9",
    "t=9&l=0",
    "t=9&l=4",
    "t=9&b=5",
    "t=9&b=5&h=0",
    "t=9&b=5&h=7&s=0",
  ]);
  expect(written(atIndex({ kind: "head", index: 3, block: 5, head: 7, second: 0 }, null))).toBe("l=5");
});

test("places are the same where every part is", () => {
  expect(isSamePlace({ kind: "token", index: 3 }, { kind: "token", index: 3 })).toBe(true);
  expect(isSamePlace({ kind: "token", index: 3 }, { kind: "layer", index: 3, layer: 0 })).toBe(false);
});

test("another layer of a head is the same head of another block, never of the embedding", () => {
  const head: Place = { kind: "head", index: 3, block: 5, head: 7, second: null };
  expect(atLayer(head, 6)).toEqual({ ...head, block: 6 });
  expect(atLayer({ kind: "block", index: 3, block: 1 }, 0)).toEqual({ kind: "block", index: 3, block: 1 });
  expect(atLayer({ kind: "token", index: 3 }, 0)).toEqual({ kind: "layer", index: 3, layer: 0 });
});
