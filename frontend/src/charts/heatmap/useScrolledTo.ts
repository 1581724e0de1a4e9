import { type RefObject, useEffect, useRef } from "react";

/** Scrolls an element into view when it comes to be shown, but not where it was there from the start. */
export function useScrolledTo<T extends Element>(isShown: boolean): RefObject<T | null> {
  const element = useRef<T>(null);
  const wasShown = useRef(isShown);
  useEffect(() => {
    if (isShown && !wasShown.current) element.current?.scrollIntoView({ block: "start" });
    wasShown.current = isShown;
  }, [isShown]);
  return element;
}
