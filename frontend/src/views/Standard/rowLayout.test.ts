import { expect, test } from "vitest";
import { chipLayout } from "./rowLayout";

test.each([
  [390, 3],
  [544, 3],
  [600, 4],
  [672, 5],
  [717, 5],
  [1200, 5],
])("a panel of %i px has room for %i chips of nine letters and more", (width, columns) => {
  const layout = chipLayout(width, 5);
  expect(layout.columns).toBe(columns);
  expect(layout.letters).toBeGreaterThanOrEqual(9);
});

test("fewer predictions have more room each", () => {
  expect(chipLayout(672, 1).letters).toBeGreaterThan(2 * chipLayout(672, 5).letters);
});
