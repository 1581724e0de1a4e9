import { type ComponentProps, Suspense, useEffect, useState } from "react";
import type { Span } from "@/base/span";
import { lazyPart } from "@/ui/lazyPart";
import type Table from "./CellTable";
import type { GridWindow } from "./GridWindow";

const CellTable = lazyPart(() => import("./CellTable"));

interface WindowTableProps extends Omit<ComponentProps<typeof Table>, "span"> {
  readonly gridWindow: GridWindow;
  readonly nPositions: number;
  /** Chosen by the person; without it the table covers what the grid shows. */
  readonly range: Span | null;
}

/** A scroll has ended when nothing moved for so long. */
const SETTLED_MS = 150;

/** The table of the range, or of the columns that the grid shows once it has stopped moving. */
export function WindowTable({ gridWindow, nPositions, range, ...rest }: WindowTableProps) {
  const [settled, setSettled] = useState(() => wholeColumns(gridWindow));
  useEffect(() => {
    let timer = 0;
    const settle = (): void => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => setSettled(wholeColumns(gridWindow)), SETTLED_MS);
    };
    settle();
    const unsubscribe = gridWindow.subscribe(settle);
    return () => {
      unsubscribe();
      window.clearTimeout(timer);
    };
  }, [gridWindow]);
  const shown = range ?? settled;
  const start = Math.min(shown.start, nPositions - 1);
  // Nothing is laid out before the first drawing: then one column stands for all.
  const span = { start, end: Math.min(nPositions, Math.max(shown.end, start + 1)) };
  return (
    <Suspense fallback={null}>
      <CellTable span={span} {...rest} />
    </Suspense>
  );
}

/** Columns of which at least a part is on the screen. */
function wholeColumns(gridWindow: GridWindow): Span {
  const { start, end } = gridWindow.get();
  return { start: Math.floor(start), end: Math.ceil(end) };
}
