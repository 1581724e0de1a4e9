/** Draws the visible part of the heatmap. Pure drawing: it is given everything, and keeps nothing. */
import type { Span } from "@/base/span";
import type { Ramp } from "@/charts/colour/colour";
import type { LayerLabels } from "@/model/layers";
import type { NotedPlaces } from "@/model/notes";
import type { CellLooks, CellSource, OutlinedCells } from "./cellLooks";
import type { CellPicture } from "./CellPicture";
import {
  type Grid,
  HEAD_HEIGHT,
  LABEL_WIDTH,
  MIN_HEAD_WIDTH,
  MIN_TEXT_HEIGHT,
  MIN_TEXT_WIDTH,
  type Offset,
  type Size,
  layerAt,
  rowOf,
  visiblePositions,
  visibleRows,
} from "./geometry";
import type { Labels } from "./labels";

/** A line of a column's head. */
export interface HeadLine {
  readonly text: string;
  readonly isQuiet: boolean;
  /**
   * `gap`: nothing stands there, which is hatched; `different`: it is not what the column's other line
   * has; `noted`: there is a note on it.
   */
  readonly mark: "gap" | "different" | "noted" | null;
}

/** What stands above the columns. */
export interface ColumnHeads {
  /** What the lines are called. */
  readonly names: readonly [string, string, string];
  /** The first line is never cut. */
  readonly lines: (position: number) => readonly [HeadLine, HeadLine, HeadLine];
  /** The number by which narrow columns are counted; null where the column has none. */
  readonly number: (position: number) => number | null;
}

export interface Scene {
  readonly grid: Grid;
  /** Filled in place: what was drawn of it changes with `looks`. */
  readonly cells: CellSource;
  readonly looks: CellLooks;
  readonly picture: CellPicture;
  readonly layerLabels: LayerLabels;
  readonly heads: ColumnHeads;
  readonly ramp: Ramp;
  /** For the cells that `looks` singles out. */
  readonly answerRamp: Ramp;
  readonly outlined: OutlinedCells | null;
  /** Undefined where there are no notes. */
  readonly noted?: NotedPlaces | undefined;
  readonly range: Span | null;
  readonly selectedPosition: number | null;
  readonly selectedLayer: number | null;
}

/** Colours of the page's theme, as CSS colours. */
export interface Palette {
  readonly surface: string;
  readonly sunken: string;
  readonly line: string;
  readonly hatch: string;
  readonly text: string;
  readonly quiet: string;
  readonly selected: string;
  readonly range: string;
  readonly note: string;
}

const CELL_FONT_SIZE = 12;
/** px that a row label needs; lower rows are named every so often. */
const LABEL_HEIGHT = 14;
const PADDING = 4;
/** Size of the corners: the upper one is what the cells say, the lower one a value beyond the scale. */
const CORNER = 5;
/** Size of the corner that says that there is a note. */
const NOTE_CORNER = 8;
/** The bar at the left of a cell in the second hue, for those who see no hue. */
const ANSWER_BAR = 2;

export const fontOf = (family: string): string => `${CELL_FONT_SIZE}px ${family}`;

export function paint(
  context: CanvasRenderingContext2D,
  scene: Scene,
  palette: Palette,
  labels: Labels,
  view: Size,
  offset: Offset,
): void {
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, view.width, view.height);
  context.textBaseline = "middle";
  if (scene.grid.cellWidth >= MIN_TEXT_WIDTH) paintCells(context, scene, palette, labels, view, offset);
  else paintPicture(context, scene, palette, view, offset);
  paintNotedCells(context, scene, palette, view, offset);
  if (scene.outlined !== null) paintOutline(context, scene.grid, scene.outlined, palette, view, offset);
  paintHeads(context, scene, palette, labels, view, offset);
  paintLayerLabels(context, scene, palette, view, offset);
  paintHeadNames(context, scene.heads, palette);
}

function paintCells(
  context: CanvasRenderingContext2D,
  { grid, cells, looks, ramp, answerRamp }: Scene,
  palette: Palette,
  labels: Labels,
  view: Size,
  offset: Offset,
): void {
  const width = grid.cellWidth - 1;
  const height = grid.cellHeight - 1;
  const hasText = grid.cellHeight >= MIN_TEXT_HEIGHT;
  const positions = visiblePositions(grid, view, offset);
  const rows = visibleRows(grid, view, offset);
  context.textAlign = "left";
  for (let position = positions.start; position < positions.end; position += 1) {
    const x = LABEL_WIDTH + position * grid.cellWidth - offset.left;
    if (!looks.isRead(position)) {
      const top = HEAD_HEIGHT + rows.start * grid.cellHeight - offset.top;
      paintHatch(context, palette, x, top, width, (rows.end - rows.start) * grid.cellHeight - 1);
      continue;
    }
    for (let row = rows.start; row < rows.end; row += 1) {
      const y = HEAD_HEIGHT + row * grid.cellHeight - offset.top;
      const hasValue = looks.hasValue(position, row);
      const isAnswer = looks.isAnswer(position, row);
      const { fill, ink } = isAnswer ? answerRamp : ramp;
      const step = looks.step(position, row);
      context.fillStyle = hasValue ? (fill[step] ?? palette.sunken) : palette.sunken;
      context.fillRect(x, y, width, height);
      context.fillStyle = hasValue ? (ink[step] ?? palette.text) : palette.quiet;
      const text = hasText
        ? labels.fitted(cells.textId(position, layerAt(grid, row)), width - 2 * PADDING)
        : "";
      if (text !== "") context.fillText(text, x + PADDING, y + grid.cellHeight / 2);
      if (isAnswer) context.fillRect(x, y, ANSWER_BAR, height);
      if (looks.isMarked(position, row)) paintCorner(context, x + width, y, -CORNER, CORNER);
      if (looks.isClipped(position, row)) paintCorner(context, x + width, y + height, -CORNER, -CORNER);
    }
  }
}

/** A triangle in the corner at `x`, `y`, whose sides go `across` and `down` from there. */
function paintCorner(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  across: number,
  down: number,
): void {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x + across, y);
  context.lineTo(x, y + down);
  context.fill();
}

/** Cells too narrow for text: their colours only, all at once. */
function paintPicture(
  context: CanvasRenderingContext2D,
  { grid, picture }: Scene,
  palette: Palette,
  view: Size,
  offset: Offset,
): void {
  const { cellWidth } = grid;
  const positions = visiblePositions(grid, view, offset);
  const rows = visibleRows(grid, view, offset);
  const left = LABEL_WIDTH + positions.start * cellWidth - offset.left;
  const top = HEAD_HEIGHT + rows.start * grid.cellHeight - offset.top;
  const across = positions.end - positions.start;
  const down = rows.end - rows.start;
  if (across === 0 || down === 0) return;
  const [width, height] = [across * cellWidth, down * grid.cellHeight];
  context.fillStyle = palette.sunken;
  context.fillRect(left, top, width, height);
  context.imageSmoothingEnabled = false;
  picture.paint(context, positions, rows, { x: left, y: top, width, height });
  for (const { start, end } of picture.unread(positions)) {
    const x = LABEL_WIDTH + start * cellWidth - offset.left;
    paintHatch(context, palette, x, top, (end - start) * cellWidth, height);
  }
  context.fillStyle = palette.surface;
  for (let row = 1; row <= down; row += 1) context.fillRect(left, top + row * grid.cellHeight - 1, width, 1);
}

/** A corner at the top left of the cells with a note, seen on any colour. */
function paintNotedCells(
  context: CanvasRenderingContext2D,
  { grid, noted }: Scene,
  palette: Palette,
  view: Size,
  offset: Offset,
): void {
  if (noted === undefined) return;
  const positions = visiblePositions(grid, view, offset);
  const rows = visibleRows(grid, view, offset);
  const size = Math.min(NOTE_CORNER, grid.cellWidth);
  for (const { index, layer } of noted.cells) {
    const position = index - 1;
    const row = rowOf(grid, layer);
    if (row === null || row < rows.start || row >= rows.end) continue;
    if (position < positions.start || position >= positions.end) continue;
    const x = LABEL_WIDTH + position * grid.cellWidth - offset.left;
    const y = HEAD_HEIGHT + row * grid.cellHeight - offset.top;
    context.fillStyle = palette.surface;
    paintCorner(context, x, y, size + 3, NOTE_CORNER + 3);
    context.fillStyle = palette.text;
    paintCorner(context, x, y, size, NOTE_CORNER);
  }
}

/** A line around the cells of a set, where they border on others. */
function paintOutline(
  context: CanvasRenderingContext2D,
  grid: Grid,
  outlined: OutlinedCells,
  palette: Palette,
  view: Size,
  offset: Offset,
): void {
  const positions = visiblePositions(grid, view, offset);
  const rows = visibleRows(grid, view, offset);
  context.beginPath();
  for (let position = positions.start; position < positions.end; position += 1) {
    // Between the cells, so that it hides nothing of either; the outermost stay inside the grid.
    const left = LABEL_WIDTH + position * grid.cellWidth - offset.left - (position === 0 ? -0.5 : 0.5);
    const right = LABEL_WIDTH + (position + 1) * grid.cellWidth - offset.left - 0.5;
    for (let row = rows.start; row < rows.end; row += 1) {
      if (!outlined.has(position, row)) continue;
      const top = HEAD_HEIGHT + row * grid.cellHeight - offset.top - (row === 0 ? -0.5 : 0.5);
      const bottom = HEAD_HEIGHT + (row + 1) * grid.cellHeight - offset.top - 0.5;
      const edge = (isOpen: boolean, x1: number, y1: number, x2: number, y2: number): void => {
        if (isOpen) return;
        context.moveTo(x1, y1);
        context.lineTo(x2, y2);
      };
      edge(outlined.has(position - 1, row), left, top, left, bottom);
      edge(outlined.has(position + 1, row), right, top, right, bottom);
      edge(outlined.has(position, row - 1), left, top, right, top);
      edge(outlined.has(position, row + 1), left, bottom, right, bottom);
    }
  }
  context.save();
  context.lineCap = "square";
  // The lighter or the darker of the two is seen on any colour. In narrow cells they leave room for it.
  const isNarrow = grid.cellWidth < MIN_TEXT_WIDTH;
  for (const [width, colour] of [
    [isNarrow ? 2.5 : 5, palette.surface],
    [isNarrow ? 1 : 2, palette.text],
  ] as const) {
    context.lineWidth = width;
    context.strokeStyle = colour;
    context.stroke();
  }
  context.restore();
}

/** Not read yet: thin slanted lines, which no value of a ramp looks like. */
export function paintHatch(
  context: CanvasRenderingContext2D,
  palette: Palette,
  x: number,
  y: number,
  width: number,
  height: number,
): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.fillStyle = palette.surface;
  context.fillRect(x, y, width, height);
  context.strokeStyle = palette.hatch;
  context.lineWidth = 1;
  context.beginPath();
  for (let start = x - height; start < x + width; start += 7) {
    context.moveTo(start, y + height);
    context.lineTo(start + height, y);
  }
  context.stroke();
  context.restore();
}

/** Middles of the lines of a head. */
const HEAD_LINES = [10, 27, 44] as const;
const HEAD_LINE_HEIGHT = 16;
/** Thickness of the bar under a line that is different. */
const HEAD_BAR = 2;

/** Column heads: their lines; in narrow columns a number now and then, and a bar under what is marked. */
function paintHeads(
  context: CanvasRenderingContext2D,
  { grid, heads, selectedPosition, range }: Scene,
  palette: Palette,
  labels: Labels,
  view: Size,
  offset: Offset,
): void {
  const { cellWidth } = grid;
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, view.width, HEAD_HEIGHT);
  context.fillStyle = palette.line;
  context.fillRect(0, HEAD_HEIGHT - 1, view.width, 1);
  const positions = visiblePositions(grid, view, offset);
  const every = cellWidth >= MIN_HEAD_WIDTH ? 1 : ([5, 10, 20, 50].find((n) => n * cellWidth >= 40) ?? 100);
  context.textAlign = "left";
  for (let position = positions.start; position < positions.end; position += 1) {
    const x = LABEL_WIDTH + position * cellWidth - offset.left;
    const isSelected = position === selectedPosition;
    const isInRange = range !== null && position >= range.start && position < range.end;
    if (isSelected || isInRange) {
      context.fillStyle = isSelected ? palette.selected : palette.range;
      context.fillRect(x, 0, isInRange ? cellWidth : cellWidth - 1, HEAD_HEIGHT - 1);
    }
    const lines = heads.lines(position);
    if (every === 1) {
      const quiet = isSelected || isInRange ? palette.text : palette.quiet;
      for (const [i, middle] of HEAD_LINES.entries()) {
        const line = lines[i];
        if (line === undefined) continue;
        paintMark(context, palette, line, x, middle - HEAD_LINE_HEIGHT / 2, cellWidth - 1);
        context.fillStyle = line.isQuiet ? quiet : palette.text;
        const text = i === 0 ? line.text : labels.fit(line.text, cellWidth - 2 * PADDING);
        context.fillText(text, x + PADDING, middle);
      }
      continue;
    }
    // A token that has a note stands in the heads of two columns; the one that predicts it is marked.
    const [, , predicted] = lines;
    const isNoted = predicted.mark === "noted";
    if (isNoted || lines.some(({ mark }) => mark === "gap" || mark === "different")) {
      context.fillStyle = isNoted ? palette.note : palette.text;
      context.fillRect(x, HEAD_HEIGHT - 1 - 2 * HEAD_BAR, cellWidth, 2 * HEAD_BAR);
    }
    const number = heads.number(position);
    if (number !== null && number % every === 0) {
      context.fillStyle = palette.line;
      context.fillRect(x, HEAD_HEIGHT - 8, 1, 7);
      context.fillStyle = palette.quiet;
      context.fillText(String(number), x + 2, HEAD_HEIGHT - 16);
    }
  }
}

function paintMark(
  context: CanvasRenderingContext2D,
  palette: Palette,
  { mark }: HeadLine,
  x: number,
  top: number,
  width: number,
): void {
  if (mark === "gap") paintHatch(context, palette, x, top, width, HEAD_LINE_HEIGHT);
  else if (mark !== null) {
    context.fillStyle = mark === "noted" ? palette.note : palette.text;
    context.fillRect(x, top + HEAD_LINE_HEIGHT - HEAD_BAR, width, HEAD_BAR);
  }
}

function paintLayerLabels(
  context: CanvasRenderingContext2D,
  { grid, layerLabels, selectedLayer }: Scene,
  palette: Palette,
  view: Size,
  offset: Offset,
): void {
  context.fillStyle = palette.surface;
  context.fillRect(0, HEAD_HEIGHT, LABEL_WIDTH - 1, view.height - HEAD_HEIGHT);
  const rows = visibleRows(grid, view, offset);
  const every = Math.ceil(LABEL_HEIGHT / grid.cellHeight);
  context.textAlign = "right";
  context.save();
  context.beginPath();
  context.rect(0, HEAD_HEIGHT, LABEL_WIDTH, view.height - HEAD_HEIGHT);
  context.clip();
  for (let row = rows.start; row < rows.end; row += 1) {
    const layer = layerAt(grid, row);
    const y = HEAD_HEIGHT + row * grid.cellHeight - offset.top;
    const isSelected = layer === selectedLayer;
    if (isSelected) {
      context.fillStyle = palette.selected;
      context.fillRect(0, y, LABEL_WIDTH - 1, grid.cellHeight - 1);
    }
    if (!isSelected && row % every !== 0) continue;
    context.fillStyle = isSelected ? palette.text : palette.quiet;
    context.fillText(layerLabels[layer] ?? String(layer), LABEL_WIDTH - 8, y + grid.cellHeight / 2);
  }
  context.restore();
}

/** What the lines of the column heads are. */
function paintHeadNames(context: CanvasRenderingContext2D, { names }: ColumnHeads, palette: Palette): void {
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, LABEL_WIDTH - 1, HEAD_HEIGHT - 1);
  context.fillStyle = palette.quiet;
  context.textAlign = "right";
  for (const [i, middle] of HEAD_LINES.entries()) context.fillText(names[i] ?? "", LABEL_WIDTH - 8, middle);
}
