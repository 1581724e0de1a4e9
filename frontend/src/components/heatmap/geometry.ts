/** Where things are in the heatmap: pixels to cells and back. Rows run from the output (top) to the embedding. */
import type { Span } from "@/lib/columns";

export const HEAD_HEIGHT = 56;
export const LABEL_WIDTH = 68;
export const CELL_HEIGHT = 22;
/** Narrower cells show their colour only. */
export const MIN_TEXT_WIDTH = 12;
/** Narrower columns have no room for tokens in their head: they are numbered every so often. */
export const MIN_HEAD_WIDTH = 28;
export const CELL_WIDTHS = [4, 6, 8, 12, 18, 28, 44, 64, 92, 132] as const;
export const DEFAULT_CELL_WIDTH = 64;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Scroll offset, in CSS pixels. */
export interface Offset {
  readonly left: number;
  readonly top: number;
}

export interface Grid {
  readonly nPositions: number;
  readonly nLayers: number;
  readonly cellWidth: number;
}

export interface CellPlace {
  readonly position: number;
  readonly layer: number;
}

/** A cell, a column head (`layer` null), a row label (`position` null). */
export interface Hit {
  readonly position: number | null;
  readonly layer: number | null;
}

/** Rows that stay on the screen however little room there is. */
const MIN_ROWS = 14;
const SCROLLBAR = 16;

/** The heights at which the grid shows all of itself, and the least it should be given. */
export function frameHeights(grid: Grid): { readonly full: number; readonly least: number } {
  const full = contentSize(grid).height + SCROLLBAR;
  return { full, least: Math.min(full, HEAD_HEIGHT + MIN_ROWS * CELL_HEIGHT) };
}

export const contentSize = ({ nPositions, nLayers, cellWidth }: Grid): Size => ({
  width: LABEL_WIDTH + nPositions * cellWidth,
  height: HEAD_HEIGHT + nLayers * CELL_HEIGHT,
});

const clampSpan = (start: number, end: number, length: number): Span => ({
  start: Math.min(length, Math.max(0, start)),
  end: Math.min(length, Math.max(0, end)),
});

/** Positions of which at least a part is on the screen. */
export const visiblePositions = (grid: Grid, view: Size, offset: Offset): Span =>
  clampSpan(
    Math.floor(offset.left / grid.cellWidth),
    Math.ceil((offset.left + view.width - LABEL_WIDTH) / grid.cellWidth),
    grid.nPositions,
  );

/** Rows, from the top, of which at least a part is on the screen. */
export const visibleRows = (grid: Grid, view: Size, offset: Offset): Span =>
  clampSpan(
    Math.floor(offset.top / CELL_HEIGHT),
    Math.ceil((offset.top + view.height - HEAD_HEIGHT) / CELL_HEIGHT),
    grid.nLayers,
  );

/** The row of a layer, and the layer of a row: the same turn upside down. */
export const flip = (grid: Grid, layerOrRow: number): number => grid.nLayers - 1 - layerOrRow;

/** What is at a point of the view; null where nothing is. */
export function hitAt(grid: Grid, offset: Offset, x: number, y: number): Hit | null {
  const column = Math.floor((x - LABEL_WIDTH + offset.left) / grid.cellWidth);
  const row = Math.floor((y - HEAD_HEIGHT + offset.top) / CELL_HEIGHT);
  const position = x >= LABEL_WIDTH && column < grid.nPositions ? column : null;
  const layer = y >= HEAD_HEIGHT && row < grid.nLayers ? flip(grid, row) : null;
  if (position === null && layer === null) return null;
  if ((position === null && x >= LABEL_WIDTH) || (layer === null && y >= HEAD_HEIGHT)) return null;
  return { position, layer };
}

/** The nearest offset at which a cell is in full view; without `layer`, its column. */
export function offsetToShow(
  grid: Grid,
  view: Size,
  offset: Offset,
  position: number,
  layer: number | null,
): Offset {
  const nearest = (from: number, start: number, size: number, room: number): number =>
    start < from ? start : start + size > from + room ? start + size - room : from;
  return {
    left: nearest(offset.left, position * grid.cellWidth, grid.cellWidth, view.width - LABEL_WIDTH),
    top:
      layer === null
        ? offset.top
        : nearest(offset.top, flip(grid, layer) * CELL_HEIGHT, CELL_HEIGHT, view.height - HEAD_HEIGHT),
  };
}

/** Where the keys lead from a cell; null for a key that does not move. */
export function placeAfterKey(
  grid: Grid,
  from: CellPlace,
  key: string,
  withControl: boolean,
): CellPlace | null {
  const lastPosition = grid.nPositions - 1;
  const lastLayer = grid.nLayers - 1;
  const to = (position: number, layer: number): CellPlace => ({
    position: Math.min(lastPosition, Math.max(0, position)),
    layer: Math.min(lastLayer, Math.max(0, layer)),
  });
  switch (key) {
    case "ArrowLeft":
      return to(from.position - 1, from.layer);
    case "ArrowRight":
      return to(from.position + 1, from.layer);
    case "ArrowUp":
      return to(from.position, from.layer + 1);
    case "ArrowDown":
      return to(from.position, from.layer - 1);
    case "PageUp":
      return to(from.position, from.layer + 10);
    case "PageDown":
      return to(from.position, from.layer - 10);
    case "Home":
      return withControl ? to(0, lastLayer) : to(0, from.layer);
    case "End":
      return withControl ? to(lastPosition, 0) : to(lastPosition, from.layer);
    default:
      return null;
  }
}

/** The next wider (+1) or narrower (−1) cell. */
export function zoomed(cellWidth: number, direction: 1 | -1): number {
  const at = CELL_WIDTHS.findIndex((width) => width >= cellWidth);
  return CELL_WIDTHS[at + direction] ?? cellWidth;
}

/** The widest cell at which every column is on the screen, as far as there is one. */
export function fittingWidth(nPositions: number, viewWidth: number): number {
  const room = (viewWidth - LABEL_WIDTH) / Math.max(1, nPositions);
  return CELL_WIDTHS.findLast((width) => width <= room) ?? CELL_WIDTHS[0];
}
