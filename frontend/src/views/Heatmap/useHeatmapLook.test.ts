import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { parseLook, useHeatmapLook } from "./useHeatmapLook";

test("what was chosen is there the next time", () => {
  const first = renderHook(() => useHeatmapLook());
  act(() => first.result.current[1]({ answer: "output", stride: 4, outlinedToken: 0, hasTable: true }));
  act(() => first.result.current[1]({ signedRamp: "cividis", outlinedRank: 50, withExtremes: true }));
  expect(renderHook(() => useHeatmapLook()).result.current[0]).toEqual({
    ...first.result.current[0],
    answer: "output",
    stride: 4,
    outlinedToken: 0,
    hasTable: true,
    signedRamp: "cividis",
    outlinedRank: 50,
    withExtremes: true,
  });
});

test("what no longer fits is replaced by the default, field by field", () => {
  expect(
    parseLook({
      metric: "kl",
      ramp: "jet",
      answer: 1,
      stride: 3,
      cellWidth: 5,
      outlinedToken: -4,
      outlinedRank: "5",
    }),
  ).toMatchObject({
    metric: "kl",
    ramp: "viridis",
    answer: "off",
    stride: 1,
    cellWidth: 64,
    outlinedToken: null,
    outlinedRank: 5,
    hasTable: false,
  });
  expect(parseLook("viridis")).toBeUndefined();
});
