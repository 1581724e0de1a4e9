import { act, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { useShownChoices, visitChoices } from "@/features/choices/choices";
import { type CompareChoices, useCompareChoices } from "./choices";
import { layerPairs, rowLabel, rowsInUse } from "./comparison";

const NONE: CompareChoices = {
  rows: null,
  layerA: null,
  layerB: null,
  difference: "js",
  tokenId: null,
  hasTable: false,
};

describe("the layers", () => {
  const logit = { a: "logit", b: "logit" } as const;
  test("are each with itself, but a conversation beside itself is read at another one", () => {
    expect(rowsInUse(NONE, "branch", logit)).toBe("each");
    expect(rowsInUse(NONE, "same", logit)).toBe("fixed");
    expect(rowsInUse(NONE, "same", { a: "logit", b: "tuned" })).toBe("each");
    expect(rowsInUse({ ...NONE, rows: "one" }, "same", logit)).toBe("one");
  });
  test("are pairs from the embedding up, the output where none was chosen", () => {
    expect(layerPairs("each", NONE, 2)).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
    expect(layerPairs("fixed", { layerA: 0, layerB: 1 }, 2)).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
    expect(layerPairs("one", { layerA: 0, layerB: null }, 2)).toEqual([[0, 2]]);
  });
  test("of a model with fewer are those that it has", () => {
    expect(layerPairs("one", { layerA: 40, layerB: 1 }, 2)).toEqual([[2, 1]]);
  });
  test("are named by one number, or by both", () => {
    expect([rowLabel([0, 0], "each"), rowLabel([3, 3], "each"), rowLabel([0, 12], "fixed")]).toEqual([
      "embed",
      "3",
      "0 | 12",
    ]);
  });
});

describe("the choices", () => {
  beforeEach(() => window.localStorage.clear());

  test("of a conversation are there again when the view is, and are not another's", () => {
    const first = renderHook(() => useCompareChoices("one"));
    act(() => first.result.current.change({ rows: "one", layerB: 3 }));
    first.unmount();
    expect(renderHook(() => useCompareChoices("one")).result.current.choices).toMatchObject({
      rows: "one",
      layerB: 3,
    });
    expect(renderHook(() => useCompareChoices("two")).result.current.choices.rows).toBeNull();
  });
  test("come from an address, and what is about one conversation is gone with it", () => {
    const texts = { rows: "one", layerA: "3", layerB: "-1", tokenId: "7", difference: "target" };
    act(() => visitChoices("compare", texts, "one"));
    const one = renderHook(() => useCompareChoices("one"));
    expect(one.result.current.choices).toEqual({
      ...NONE,
      rows: "one",
      layerA: 3,
      tokenId: 7,
      difference: "target",
    });
    one.unmount();
    const two = renderHook(() => useCompareChoices("two"));
    expect(two.result.current.choices).toEqual({ ...NONE, difference: "target" });
    expect(renderHook(() => useShownChoices("compare")).result.current).toEqual({ difference: "target" });
  });
});
