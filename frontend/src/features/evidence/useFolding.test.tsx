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
    isFolded: () => hook.result.current.isFolded,
    move: () => hook.result.current.listeners.onTouchMoveCapture(),
    scroll: (target: HTMLElement, top: number) => {
      target.scrollTop = top;
      act(() => hook.result.current.listeners.onScrollCapture({ target } as unknown as UIEvent));
    },
  };
}

describe("bars above what is scrolled", () => {
  test("fold when it is scrolled down, and come back as soon as it is scrolled up, in steps or in one", () => {
    const { scroll, move, isFolded } = folding();
    const table = scrolled();
    move();
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
    const { scroll, move, isFolded, rerender } = folding();
    move();
    scroll(scrolled(550), 100);
    expect(isFolded()).toBe(false);
    scroll(scrolled(), 100);
    expect(isFolded()).toBe(true);
    rerender({ place: "standard 4" });
    expect(isFolded()).toBe(false);
  });

  test("stay where a view scrolls by itself to what is selected", () => {
    const { scroll, move, isFolded, rerender } = folding();
    const table = scrolled();
    scroll(table, 300);
    expect(isFolded()).toBe(false);
    move();
    scroll(table, 310);
    expect(isFolded()).toBe(false);
    scroll(table, 330);
    expect(isFolded()).toBe(true);
    rerender({ place: "standard 4" });
    scroll(table, 500);
    expect(isFolded()).toBe(false);
  });
});
