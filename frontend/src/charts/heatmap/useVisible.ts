import { useCallback, useLayoutEffect, useRef } from "react";
import type { Span } from "@/base/span";

type Tell = (span: Span) => void;

/**
 * Tells two readers which columns are on the screen. They come and go with the lens and the token
 * that is followed; each is to know at once what is in view.
 */
export function useVisible(one: Tell, other: Tell): Tell {
  const visible = useRef<Span | null>(null);
  const readers = useRef([one, other]);
  useLayoutEffect(() => {
    readers.current = [one, other];
    if (visible.current !== null) for (const tell of readers.current) tell(visible.current);
  }, [one, other]);
  return useCallback((span: Span) => {
    visible.current = span;
    for (const tell of readers.current) tell(span);
  }, []);
}
