import { expect, test } from "vitest";
import { decisionLayer } from "./decision";

test.each([
  ["from the layer after the last other rank", [900, 1, 4, 1, 1], 3],
  ["from the embedding when it was never else", [1, 1, 1], 0],
  ["only at the output", [5, 5, 1], 2],
  ["never, when the output ranks another token first", [1, 1, 2], null],
  ["never, without layers", [], null],
])("a token is decided %s", (_, ranks, layer) => {
  expect(decisionLayer(ranks)).toBe(layer);
});
