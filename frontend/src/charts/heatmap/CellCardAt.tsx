import clsx from "clsx";
import { type ReactNode, useLayoutEffect, useRef } from "react";
import { type CellPlace, type Grid, rowOf } from "./geometry";

interface CellCardAtProps {
  readonly grid: Grid;
  readonly place: CellPlace;
  readonly className: string;
  readonly children: ReactNode;
}

/** px between the cell and its card. */
const GAP = 6;

/**
 * A small card beside a cell, on the side where there is room. It lies among the marks, which move with
 * the cells, and repeats what the cell says of itself to those who hear it.
 */
export function CellCardAt({ grid, place, className, children }: CellCardAtProps) {
  const card = useRef<HTMLDivElement>(null);
  // Where there is room is known only once the card has its contents.
  useLayoutEffect(() => {
    const element = card.current;
    const marks = element?.offsetParent ?? null;
    const frame = marks?.parentElement ?? null;
    if (element === null || marks === null || frame === null) return;
    const scrolled = marks.getBoundingClientRect();
    const seen = frame.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = element;
    const x = place.position * grid.cellWidth;
    const y = (rowOf(grid, place.layer) ?? 0) * grid.cellHeight;
    const beside = x + grid.cellWidth + GAP;
    const isRight = scrolled.left + beside + width <= seen.right;
    const top = Math.min(y, seen.bottom - scrolled.top - height - GAP);
    element.style.left = `${Math.max(seen.left - scrolled.left, isRight ? beside : x - width - GAP)}px`;
    element.style.top = `${Math.max(seen.top - scrolled.top, top)}px`;
  });
  return (
    <div
      ref={card}
      data-part="cell-card"
      className={clsx(
        "absolute z-1 w-max max-w-64 rounded-control border border-line bg-raised px-2 py-1 font-sans text-label text-muted shadow-float pointer-coarse:hidden",
        className,
      )}
    >
      {children}
    </div>
  );
}
