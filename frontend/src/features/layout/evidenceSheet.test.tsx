import { act, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { matchMedia } from "@/test/media";
import { type SheetHeight, useEvidenceSheet } from "./evidenceSheet";

interface Shown {
  readonly id: string | null;
  readonly index: number | null;
}

/** The sheet as the page uses it. */
function start(shown: Shown) {
  const { result, rerender } = renderHook(({ id, index }: Shown) => useEvidenceSheet(id, index), {
    initialProps: shown,
  });
  return {
    height: (): SheetHeight => result.current.height,
    resize: (height: SheetHeight) => act(() => result.current.resize(height)),
    show: rerender,
  };
}

let isShort = false;
beforeEach(() => {
  isShort = false;
  matchMedia((query) => (query.includes("height") ? isShort : true));
});

describe("a sheet that fills the screen", () => {
  test("closes when another conversation is opened, or a new one", () => {
    for (const id of ["b", null]) {
      const sheet = start({ id: "a", index: 3 });
      sheet.resize("full");
      sheet.show({ id, index: null });
      expect(sheet.height()).toBe("closed");
      sheet.show({ id, index: 1 });
      expect(sheet.height()).toBe("half");
    }
  });

  test("closes then also where no token was selected before", () => {
    const sheet = start({ id: "a", index: null });
    sheet.resize("full");
    sheet.show({ id: "a", index: null });
    expect(sheet.height()).toBe("full");
    sheet.show({ id: "b", index: null });
    expect(sheet.height()).toBe("closed");
  });

  test("stays while there is a token to show", () => {
    const sheet = start({ id: "a", index: 3 });
    sheet.resize("full");
    sheet.show({ id: "a", index: 4 });
    sheet.show({ id: "b", index: 4 });
    expect(sheet.height()).toBe("full");
  });
});

test("half a sheet stays, for the conversation is seen above it; in a short window it is all there is", () => {
  const sheet = start({ id: "a", index: 3 });
  expect(sheet.height()).toBe("half");
  sheet.show({ id: "b", index: null });
  expect(sheet.height()).toBe("half");
  isShort = true;
  sheet.show({ id: "c", index: null });
  expect(sheet.height()).toBe("closed");
});

test("a sheet that was closed stays closed when another conversation is opened at the same token", () => {
  const sheet = start({ id: "a", index: 3 });
  sheet.resize("closed");
  sheet.show({ id: "b", index: 3 });
  expect(sheet.height()).toBe("closed");
});
