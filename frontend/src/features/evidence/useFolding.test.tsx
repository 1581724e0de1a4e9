import { act, renderHook } from "@testing-library/react";
import type { UIEvent } from "react";
import { describe, expect, test } from "vitest";
import { useFolding } from "./useFolding";

/** Something 400 px high that shows what is `content` px high. */
function scrolled(content = 1000) {
  const target = document.createElement("div");
  Object.defineProperties(target, {
    clientHeight: { value: 400 },
    scrollHeight: { value: content },
    scrollTop: { value: 0, writable: true },
  });
  return target;
}

function folding() {
  const hook = renderHook(({ place }) => useFolding(place), { initialProps: { place: "standard 3" } });
  return {
    ...hook,
    isFolded: () => hook.result.current[0],
    scroll: (target: HTMLElement, top: number) => {
      target.scrollTop = top;
      act(() => hook.result.current[1]({ target } as unknown as UIEvent));
    },
  };
}

describe("bars above what is scrolled", () => {
  test("fold when it is scrolled down, and come back as soon as it is scrolled up, in steps or in one", () => {
    const { scroll, isFolded } = folding();
    const table = scrolled();
    for (const top of [10, 20, 30]) scroll(table, top);
    expect(isFolded()).toBe(true);
    scroll(table, 200);
    scroll(table, 190);
    expect(isFolded()).toBe(true);
    scroll(table, 170);
    expect(isFolded()).toBe(false);
    scroll(table, 320);
    expect(isFolded()).toBe(true);
    scroll(table, 260);
    expect(isFolded()).toBe(false);
  });

  test("stay where there is little to scroll, and come back with another place", () => {
    const { scroll, isFolded, rerender } = folding();
    scroll(scrolled(550), 100);
    expect(isFolded()).toBe(false);
    scroll(scrolled(), 100);
    expect(isFolded()).toBe(true);
    rerender({ place: "standard 4" });
    expect(isFolded()).toBe(false);
  });
});
