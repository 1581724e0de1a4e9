import { expect, test } from "vitest";
import { carriersOf } from "./carriers";

/** Scores of three positions, the embedding first. */
const rows = (...scores: readonly (readonly (number | null)[])[]) =>
  scores.map((each, layer) => ({ layer, scores: each })).toReversed();

test("each position is named with the layers at which it carries most, and its best cell", () => {
  expect(carriersOf(rows([0, 0.9, 0], [0, 0.97, 0.1], [0, 0.6, 0.3], [0, 0.2, 0.7], [0, 0, 1]))).toEqual([
    { pair: 1, layers: [0, 1, 2], best: { layer: 1, pair: 1 }, score: 0.97 },
    { pair: 2, layers: [3, 4], best: { layer: 4, pair: 2 }, score: 1 },
  ]);
});

test("no position is named for a layer at which none carries more than half", () => {
  expect(carriersOf(rows([0, 0.9, 0], [0.2, 0.5, 0.4], [0, 0.9, 0.1]))).toMatchObject([
    { pair: 1, layers: [0] },
    { pair: 1, layers: [2] },
  ]);
  expect(carriersOf(rows([0, 0.1, 0], [null, null, null]))).toEqual([]);
});
