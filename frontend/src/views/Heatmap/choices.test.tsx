import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { storedName } from "@/base/stored";
import { forgetChoices, visitChoices } from "@/features/choices/choices";
import { useHeatmapLook } from "./choices";

const look = () => renderHook(() => useHeatmapLook()).result.current[0];

test("what was chosen is there the next time the page is opened", () => {
  const first = renderHook(() => useHeatmapLook());
  act(() => first.result.current[1]({ answer: "output", stride: 4, outlinedToken: 0, hasTable: true }));
  act(() => first.result.current[1]({ signedRamp: "cividis", outlinedRank: 50, withExtremes: true }));
  const chosen = {
    ...first.result.current[0],
    answer: "output",
    stride: 4,
    outlinedToken: 0,
    hasTable: true,
    signedRamp: "cividis",
    outlinedRank: 50,
    withExtremes: true,
  };
  first.unmount();
  forgetChoices();
  expect(look()).toEqual(chosen);
});

test("what no longer fits is replaced by the default, field by field", () => {
  const stored = {
    metric: "kl",
    ramp: "jet",
    answer: 1,
    stride: "3",
    cellWidth: "5",
    outlinedToken: "-4",
    hasTable: "yes",
  };
  window.localStorage.setItem(storedName("view-heatmap"), JSON.stringify(stored));
  expect(look()).toMatchObject({
    metric: "kl",
    ramp: "viridis",
    answer: "off",
    stride: 1,
    cellWidth: 64,
    outlinedToken: null,
    outlinedRank: 5,
    hasTable: false,
  });
});

test("an address counts while the page is open and does not become a habit", () => {
  const first = renderHook(() => useHeatmapLook());
  act(() => first.result.current[1]({ metric: "entropy", stride: 2 }));
  act(() => visitChoices("heatmap", { metric: "kl", cellWidth: "28" }));
  expect(first.result.current[0]).toMatchObject({ metric: "kl", cellWidth: 28, stride: 1 });
  first.unmount();
  forgetChoices();
  expect(look()).toMatchObject({ metric: "entropy", cellWidth: 64, stride: 2 });
});
