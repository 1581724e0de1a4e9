import { expect, test } from "vitest";
import { largestRise } from "./largestRise";

test("the layer that gains most is named with both probabilities", () => {
  expect(largestRise([0.1, 0.2, 0.7, 0.65, 0.9])).toEqual({ layer: 2, from: 0.2, to: 0.7 });
});

test("a line that only falls, or is not known, has no rise", () => {
  expect(largestRise([0.9, 0.5, 0.5])).toBeNull();
  expect(largestRise([Number.NaN, 0.5, Number.NaN])).toBeNull();
  expect(largestRise([])).toBeNull();
});
