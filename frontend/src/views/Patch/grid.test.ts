import { formatScore } from "@/model/format";
import { expect, test } from "vitest";
import { isInCone, mapRows, placeAfterKey, placeOfCell } from "./grid";

test("a patch reaches later layers from its position on, and of its own layer itself alone", () => {
  const from = { layer: 3, pair: 2 };
  const reached = (layer: number, pair: number) => isInCone(from, { layer, pair });
  expect([reached(3, 2), reached(4, 2), reached(4, 5)]).toEqual([true, true, true]);
  expect([reached(3, 3), reached(4, 1), reached(2, 2)]).toEqual([false, false, false]);
});

test("without a map every cell is open, the output at the top", () => {
  const rows = mapRows(null, 2, 3);
  expect(rows.map(({ layer }) => layer)).toEqual([2, 1, 0]);
  expect(rows[0]?.scores).toEqual([null, null, null]);
});

test("keys move within the grid", () => {
  const at = (key: string, layer: number, pair: number) => placeAfterKey(key, { layer, pair }, 12, 4);
  expect(at("ArrowUp", 12, 0)).toEqual({ layer: 12, pair: 0 });
  expect(at("ArrowUp", 3, 0)).toEqual({ layer: 4, pair: 0 });
  expect(at("ArrowLeft", 3, 0)).toEqual({ layer: 3, pair: 0 });
  expect(at("End", 3, 0)).toEqual({ layer: 3, pair: 3 });
  expect(at("x", 3, 0)).toBeNull();
});

test("a cell stands where it is put into", () => {
  const pairs = [
    [0, 0],
    [2, 1],
  ] as const;
  expect(placeOfCell({ layer: 4, a: 0, b: 1 }, pairs)).toEqual({ layer: 4, pair: 1 });
  expect(placeOfCell({ layer: 4, a: 0, b: 7 }, pairs)).toBeNull();
});

test("a score of nothing has no sign", () => {
  expect([formatScore(-0.001), formatScore(0.631)]).toEqual(["0.00", "0.63"]);
});
