import { type RefObject, useEffect, useRef } from "react";

/**
 * For a line that scrolls sideways: marks by `data-before` and `data-after` at which ends more is hidden,
 * which the class `fade-overflow` shows, and brings the selected tab into view when `selected` changes.
 */
export function useOverflowFade<T extends HTMLElement>(selected: string): RefObject<T | null> {
  const line = useRef<T>(null);
  useEffect(() => {
    const element = line.current;
    if (element === null) return undefined;
    const mark = (): void => {
      const { scrollLeft, scrollWidth, clientWidth } = element;
      element.toggleAttribute("data-before", scrollLeft > 1);
      element.toggleAttribute("data-after", scrollLeft + clientWidth < scrollWidth - 1);
    };
    const observer = new ResizeObserver(mark);
    observer.observe(element);
    element.addEventListener("scroll", mark, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", mark);
    };
  }, []);
  useEffect(() => {
    line.current
      ?.querySelector("[role=tab][aria-selected=true]")
      ?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [selected]);
  return line;
}
