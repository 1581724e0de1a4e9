import { useEffect, useRef, useState } from "react";
import type { CellPlace } from "@/charts/heatmap/geometry";
import { GridWindow } from "@/charts/heatmap/GridWindow";
import type { SideSource } from "@/features/pair/otherSide";
import { takeFresh } from "@/features/pair/pair";
import { nextDifference } from "./pairCells";
import type { ComparedTimelines } from "./useComparedTimelines";
import type { Cursor } from "./useCursor";

/** Columns in view on both sides of the one that was gone to. */
const MARGIN = 2;

export interface Differences {
  readonly gridWindow: GridWindow;
  /** Selects a place and scrolls it into view. */
  readonly goTo: (place: CellPlace) => void;
  /** The next column, or the previous one, whose top-1 predictions differ at the layer of the cursor. */
  readonly step: (direction: 1 | -1) => void;
}

/**
 * Steps from difference to difference. A new pair opens where the outputs differ, not on the
 * changed input. A selection is kept unless the pair was just set.
 */
export function useDifferences(both: ComparedTimelines, cursor: Cursor, opening: number): Differences {
  const { alignment, drawn, rowLayers, side, pairs, timeline } = both;
  const [gridWindow] = useState(() => new GridWindow());
  const output = rowLayers.at(-1) ?? 0;
  const firstInput = alignment.columns.findIndex((column) => !column.isSame);
  const goTo = (place: CellPlace): void => {
    cursor.choose(place);
    const { start, end } = gridWindow.get();
    if (place.position - MARGIN < start || place.position + MARGIN >= end)
      gridWindow.moveTo(Math.max(0, place.position - MARGIN));
  };

  // Until the outputs are read, the grid begins where the inputs differ.
  const start = useRef(firstInput);
  useEffect(() => {
    start.current = cursor.selectedColumn === null ? firstInput : -1;
  });
  useEffect(() => {
    if (start.current > 0) gridWindow.moveTo(Math.max(0, start.current - 1));
  }, [gridWindow, side.source]);

  const opened = useRef<SideSource | null>(null);
  const open = useRef<() => void>(() => undefined);
  useEffect(() => {
    open.current = () => {
      const isFresh = takeFresh(timeline.conversationId ?? "");
      if ((isFresh || cursor.selectedColumn === null) && opening >= 0)
        goTo({ position: opening, layer: output });
    };
  });
  const isRead = pairs.status === "done";
  useEffect(() => {
    if (!isRead || opened.current === side.source) return;
    opened.current = side.source;
    open.current();
  }, [isRead, side.source]);

  return {
    gridWindow,
    goTo,
    step: (direction) => {
      const { position, layer } = cursor.place;
      const next = drawn === null ? null : nextDifference(drawn.cells, position, layer, direction);
      if (next !== null) goTo({ position: next, layer });
    },
  };
}
