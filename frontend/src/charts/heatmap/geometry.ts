/** Where things are in the heatmap: pixels to cells and back. Rows run from the output (top) to the embedding. */
import type { Span } from "@/base/span";

export const HEAD_HEIGHT = 56;
export const LABEL_WIDTH = 68;
export const CELL_HEIGHT = 22;
/** Narrower cells, and lower ones, show their colour only. */
export const MIN_TEXT_WIDTH = 12;
export const MIN_TEXT_HEIGHT = 15;
/** Rows that fit a window are no lower. */
export const MIN_CELL_HEIGHT = 12;
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
  /** Those that have a row, the embedding first. */
  readonly layers: readonly number[];
  readonly cellWidth: number;
  /** `CELL_HEIGHT`, or less where the rows fit the window. */
  readonly cellHeight: number;
}

/** Every how many layers one is shown. */
export const STRIDES = [1, 2, 4] as const;
export type Stride = (typeof STRIDES)[number];

/** Every layer or every few, but always the embedding (0) and the output. A half layer goes with the one after it. */
export const stridedLayers = (layers: readonly number[], stride: Stride): number[] =>
  layers.filter((layer) => Math.ceil(layer) % stride === 0 || layer === layers.at(-1));

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
/** Rows that Page Up and Page Down move by. */
const PAGE_ROWS = 10;

/** The heights at which the grid shows all of itself, and the least it should be given. */
export function frameHeights(grid: Grid): { readonly full: number; readonly least: number } {
  const full = contentSize(grid).height + SCROLLBAR;
  return { full, least: Math.min(full, HEAD_HEIGHT + MIN_ROWS * CELL_HEIGHT) };
}

/** The height of a row at which all of them fit into `room`, heads and scroll bar included. */
export const fittingHeight = (nRows: number, room: number): number =>
  Math.min(
    CELL_HEIGHT,
    Math.max(MIN_CELL_HEIGHT, Math.floor((room - HEAD_HEIGHT - SCROLLBAR) / Math.max(1, nRows))),
  );

export const contentSize = ({ nPositions, layers, cellWidth, cellHeight }: Grid): Size => ({
  width: LABEL_WIDTH + nPositions * cellWidth,
  height: HEAD_HEIGHT + layers.length * cellHeight,
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
    Math.floor(offset.top / grid.cellHeight),
    Math.ceil((offset.top + view.height - HEAD_HEIGHT) / grid.cellHeight),
    grid.layers.length,
  );

/** The layer of a row, counted from the top. */
export const layerAt = ({ layers }: Grid, row: number): number => layers[layers.length - 1 - row] ?? 0;

/** The row of a layer; null where it has none. */
export function rowOf({ layers }: Grid, layer: number): number | null {
  const at = layers.indexOf(layer);
  return at < 0 ? null : layers.length - 1 - at;
}

/** The layer itself, or the nearest above it that has a row. */
export const shownLayer = ({ layers }: Grid, layer: number): number =>
  layers.find((each) => each >= layer) ?? layers.at(-1) ?? 0;

/** The positions from one to another, both included, whichever comes first. */
export const spanBetween = (one: number, other: number): Span => ({
  start: Math.min(one, other),
  end: Math.max(one, other) + 1,
});

/** What is at a point of the view; null where nothing is. */
export function hitAt(grid: Grid, offset: Offset, x: number, y: number): Hit | null {
  const column = Math.floor((x - LABEL_WIDTH + offset.left) / grid.cellWidth);
  const row = Math.floor((y - HEAD_HEIGHT + offset.top) / grid.cellHeight);
  const position = x >= LABEL_WIDTH && column < grid.nPositions ? column : null;
  const layer = y >= HEAD_HEIGHT && row < grid.layers.length ? layerAt(grid, row) : null;
  if (position === null && layer === null) return null;
  if ((position === null && x >= LABEL_WIDTH) || (layer === null && y >= HEAD_HEIGHT)) return null;
  return { position, layer };
}

/** What is brought into view. */
export interface Revealed {
  readonly position: number;
  readonly layer: number | null;
  readonly isCentred?: boolean;
}

/** Columns that stay in view beside one that is brought into view, where there is room for them. */
const MARGIN_COLUMNS = 2;

/**
 * The nearest offset at which a cell is in full view; without `layer`, or where it has no row, its column.
 * With `isCentred` a column that is out of view comes to the middle.
 */
export function offsetToShow(
  grid: Grid,
  view: Size,
  offset: Offset,
  { position, layer, isCentred = false }: Revealed,
): Offset {
  const nearest = (from: number, start: number, size: number, room: number, margin = 0): number => {
    if (start < from) return Math.max(0, start - margin);
    return start + size > from + room ? start + size + margin - room : from;
  };
  const room = view.width - LABEL_WIDTH;
  const most = Math.max(0, (room - grid.cellWidth) / 2);
  const left = position * grid.cellWidth;
  const isOut = left + grid.cellWidth <= offset.left || left >= offset.left + room;
  const margin = isCentred && isOut ? most : Math.min(MARGIN_COLUMNS * grid.cellWidth, most);
  const row = layer === null ? null : rowOf(grid, layer);
  return {
    left: nearest(offset.left, left, grid.cellWidth, room, margin),
    top:
      row === null
        ? offset.top
        : nearest(offset.top, row * grid.cellHeight, grid.cellHeight, view.height - HEAD_HEIGHT),
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
  const lastRow = grid.layers.length - 1;
  const row = rowOf(grid, shownLayer(grid, from.layer)) ?? 0;
  const to = (position: number, nextRow: number): CellPlace => ({
    position: Math.min(lastPosition, Math.max(0, position)),
    layer: layerAt(grid, Math.min(lastRow, Math.max(0, nextRow))),
  });
  switch (key) {
    case "ArrowLeft":
      return to(from.position - 1, row);
    case "ArrowRight":
      return to(from.position + 1, row);
    case "ArrowUp":
      return to(from.position, row - 1);
    case "ArrowDown":
      return to(from.position, row + 1);
    case "PageUp":
      return to(from.position, row - PAGE_ROWS);
    case "PageDown":
      return to(from.position, row + PAGE_ROWS);
    case "Home":
      return withControl ? to(0, 0) : to(0, row);
    case "End":
      return withControl ? to(lastPosition, lastRow) : to(lastPosition, row);
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
