import { type RefObject, useEffect } from "react";
import type { Span } from "@/base/span";

/**
 * Tells which positions the words on the screen are read at, while `isWanted`: at first, and when
 * anything was scrolled.
 */
export function useVisibleWords(
  list: RefObject<Element | null>,
  indices: readonly number[],
  isWanted: boolean,
  onVisible: (span: Span) => void,
): void {
  useEffect(() => {
    if (!isWanted) return undefined;
    let frame = 0;
    const tell = (): void => {
      frame = 0;
      const span = list.current === null ? null : visibleSpan(list.current, indices);
      if (span !== null) onVisible(span);
    };
    const onScroll = (): void => {
      if (frame === 0) frame = requestAnimationFrame(tell);
    };
    tell();
    // Scrolling does not bubble; what is scrolled may be any of the elements around the list.
    window.addEventListener("scroll", onScroll, { capture: true, passive: true });
    return () => {
      window.removeEventListener("scroll", onScroll, { capture: true });
      cancelAnimationFrame(frame);
    };
  }, [list, indices, isWanted, onVisible]);
}

/** Words lie in reading order, so the first and the last visible one are found by halving. */
function visibleSpan(list: Element, indices: readonly number[]): Span | null {
  const words = list.querySelectorAll("[data-index]");
  const { top, bottom } = visibleRange(list);
  const firstWhere = (holds: (box: DOMRect) => boolean): number => {
    let [low, high] = [0, words.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const box = words[middle]?.getBoundingClientRect();
      if (box === undefined || holds(box)) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  const first = indices[firstWhere((box) => box.bottom > top)];
  const last = indices[firstWhere((box) => box.top >= bottom) - 1];
  if (first === undefined || last === undefined || last < first) return null;
  // A word is read at the position before its index.
  return { start: Math.max(0, first - 1), end: Math.max(1, last) };
}

/** Where on the screen something of the element can be seen. */
function visibleRange(element: Element): { readonly top: number; readonly bottom: number } {
  let [top, bottom] = [0, window.innerHeight];
  for (let parent = element.parentElement; parent !== null; parent = parent.parentElement) {
    if (getComputedStyle(parent).overflowY === "visible") continue;
    const box = parent.getBoundingClientRect();
    top = Math.max(top, box.top);
    bottom = Math.min(bottom, box.bottom);
  }
  return { top, bottom };
}
