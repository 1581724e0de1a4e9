import { type RefObject, useEffect, useRef, useState } from "react";

export interface MeasuredRoom {
  /** px; null until it is measured. */
  readonly height: number | null;
  readonly width: number;
  /** px of one rem, which larger type changes. */
  readonly rem: number;
}

const BEFORE: MeasuredRoom = { height: null, width: 720, rem: 16 };

/** The room inside an element, as it is now. */
export function useRoom<T extends Element>(): [RefObject<T | null>, MeasuredRoom] {
  const element = useRef<T>(null);
  const [room, setRoom] = useState(BEFORE);
  useEffect(() => {
    if (element.current === null) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      const { width = 0, height = 0 } = entry?.contentRect ?? {};
      if (width === 0 || height === 0) return;
      const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      setRoom({ width: Math.floor(width), height: Math.floor(height), rem });
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, room];
}
