import { describe, expect, test } from "vitest";
import {
  labelledLayers,
  layerAt,
  linePath,
  logprobAxis,
  probabilityAxis,
  rankAxis,
  shareOf,
  spread,
} from "./chart";

describe("axes", () => {
  test.each([
    [[0.62, null, 0.1], 1, 6],
    [[0.13], 0.2, 5],
    [[0.04, 0.003], 0.05, 6],
    [[], 1, 6],
  ])("probabilities %j end at %s", (values, top, nTicks) => {
    const axis = probabilityAxis(values);
    expect(axis).toMatchObject({ kind: "linear", bottom: 0, top });
    expect(axis.ticks).toHaveLength(nTicks);
    expect(axis.ticks.at(-1)).toBeCloseTo(top, 12);
  });

  test("log-probabilities hang from 0", () => {
    expect(logprobAxis([-0.5, -17.3, null])).toEqual({
      kind: "linear",
      bottom: -20,
      top: 0,
      ticks: [0, -5, -10, -15, -20],
    });
    expect(logprobAxis([]).bottom).toBe(-1);
  });

  test("ranks have 1 at the head and the same room for each power of ten", () => {
    const axis = rankAxis([1, 2345]);
    expect(axis).toEqual({ kind: "log", bottom: 10_000, top: 1, ticks: [1, 10, 100, 1000, 10_000] });
    expect(axis.ticks.map((rank) => shareOf(axis, rank))).toEqual([
      1,
      expect.closeTo(0.75),
      expect.closeTo(0.5),
      expect.closeTo(0.25),
      expect.closeTo(0),
    ]);
    expect(rankAxis([1, 1]).bottom).toBe(10);
    expect(rankAxis([1000]).bottom).toBe(1000);
  });

  test("every value lies within its axis", () => {
    for (const value of [1e-9, 0.0123, 0.5, 0.9999, 1]) {
      expect(shareOf(probabilityAxis([value]), value)).toBeLessThanOrEqual(1);
      expect(shareOf(logprobAxis([Math.log(value)]), Math.log(value))).toBeGreaterThanOrEqual(0);
    }
    for (const rank of [1, 7, 50_257]) expect(shareOf(rankAxis([rank]), rank)).toBeGreaterThanOrEqual(0);
  });
});

test("a path joins its points and leaves gaps where there are none", () => {
  expect(linePath([{ x: 0, y: 1 }, { x: 2.04, y: 3.26 }, null, { x: 5, y: 6 }, { x: 7, y: 8 }])).toBe(
    "M0 1L2 3.3M5 6L7 8",
  );
  expect(linePath([null, null])).toBe("");
});

test("layers are labelled as far as there is room, the first and the last always", () => {
  expect(labelledLayers(12, 600, 22)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(labelledLayers(12, 230, 24)).toEqual([0, 2, 4, 6, 8, 10, 12]);
  expect(labelledLayers(47, 300, 24)).toEqual([0, 10, 15, 20, 25, 30, 35, 40, 47]);
  expect(labelledLayers(0, 300, 24)).toEqual([0]);
});

test("a place on the axis belongs to the nearest layer", () => {
  expect([-5, 0, 24, 26, 590, 700].map((x) => layerAt(x, 600, 12))).toEqual([0, 0, 0, 1, 12, 12]);
  expect(layerAt(10, 0, 12)).toBe(0);
});

test("labels that would cover each other are moved apart, and stay inside", () => {
  expect(spread([50, 52, 10], 12, 0, 100)).toEqual([50, 62, 10]);
  expect(spread([98, 99], 12, 0, 100)).toEqual([88, 100]);
  expect(spread([5, 5, 5], 12, 0, 100)).toEqual([5, 17, 29]);
});
