import { expect, test } from "vitest";
import { decisionLayer, leaderRuns } from "./decision";

test.each([
  ["from the layer after the last other rank", [900, 1, 4, 1, 1], 3],
  ["from the embedding when it was never else", [1, 1, 1], 0],
  ["only at the output", [5, 5, 1], 2],
  ["never, when the output ranks another token first", [1, 1, 2], null],
  ["never, without layers", [], null],
])("a token is decided %s", (_, ranks, layer) => {
  expect(decisionLayer(ranks)).toBe(layer);
});

test("neighbouring layers with the same first choice are one run, the embedding left out", () => {
  expect(leaderRuns([9, 4, 4, 5, 4, 7], 5)).toEqual([
    { id: 4, from: 1, to: 2 },
    { id: 5, from: 3, to: 3 },
    { id: 4, from: 4, to: 4 },
  ]);
  expect(leaderRuns([9, 4], 1)).toEqual([]);
  expect(leaderRuns([9, 4], 7)).toEqual([{ id: 4, from: 1, to: 1 }]);
  expect(leaderRuns([], 3)).toEqual([]);
});
