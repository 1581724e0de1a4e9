/** The chosen range of positions: dragged over, made by keys, or by pressing its first and its last column. */
import { useCallback, useState } from "react";
import type { Span } from "@/base/span";
import { spanBetween } from "@/charts/heatmap/geometry";

/** Which column the next press chooses; null while a press selects as usual. */
export type Picking = "first" | "last" | null;

export interface ChosenRange {
  readonly range: Span | null;
  readonly picking: Picking;
  readonly setRange: (from: number, to: number) => void;
  readonly clear: () => void;
  /** The next two presses choose the range. */
  readonly pick: () => void;
  /** Takes a press on a column; false where it was not for the range. */
  readonly take: (position: number) => boolean;
}

export function useRange(): ChosenRange {
  const [range, setSpan] = useState<Span | null>(null);
  const [picking, setPicking] = useState<Picking>(null);
  const setRange = useCallback((from: number, to: number) => {
    setPicking(null);
    setSpan(spanBetween(from, to));
  }, []);
  const clear = useCallback(() => {
    setPicking(null);
    setSpan(null);
  }, []);
  const pick = useCallback(() => {
    setPicking("first");
    setSpan(null);
  }, []);
  const take = useCallback(
    (position: number): boolean => {
      if (picking === null) return false;
      // While the last column is awaited the range is the first one alone.
      setSpan(spanBetween(picking === "last" && range !== null ? range.start : position, position));
      setPicking(picking === "first" ? "last" : null);
      return true;
    },
    [picking, range],
  );
  return { range, picking, setRange, clear, pick, take };
}
