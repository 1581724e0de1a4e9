/** Draws the visible part of the heatmap. Pure drawing: it is given everything, and keeps nothing. */
import { type Ramp, type Scale, rampStep } from "@/lib/colour";
import type { LensColumns } from "@/lib/columns";
import type { Metric } from "@/lib/metrics";
import {
  CELL_HEIGHT,
  type Grid,
  HEAD_HEIGHT,
  LABEL_WIDTH,
  MIN_HEAD_WIDTH,
  MIN_TEXT_WIDTH,
  type Offset,
  type Size,
  flip,
  visiblePositions,
  visibleRows,
} from "./geometry";
import type { Labels } from "./labels";

export interface Scene {
  readonly grid: Grid;
  readonly columns: LensColumns;
  /** Changes with the contents of `columns`, which is filled in place. */
  readonly version: number;
  readonly layerLabels: readonly string[];
  /** Ids and cell forms of the timeline's tokens. */
  readonly tokenIds: readonly number[];
  readonly tokenTexts: readonly string[];
  readonly metric: Metric;
  readonly scale: Scale;
  readonly ramp: Ramp;
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
}

const CELL_FONT_SIZE = 11;
const PADDING = 4;
/** Room for the corner that marks a first choice which is the actual next token. */
const CORNER = 5;

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
  paintCells(context, scene, palette, labels, view, offset);
  paintHeads(context, scene, palette, labels, view, offset);
  paintLayerLabels(context, scene, palette, view, offset);
  paintCorner(context, palette);
}

function paintCells(
  context: CanvasRenderingContext2D,
  { grid, columns, tokenIds, metric, scale, ramp }: Scene,
  palette: Palette,
  labels: Labels,
  view: Size,
  offset: Offset,
): void {
  const { cellWidth } = grid;
  const positions = visiblePositions(grid, view, offset);
  const rows = visibleRows(grid, view, offset);
  const gap = cellWidth >= MIN_TEXT_WIDTH ? 1 : 0;
  const hasText = cellWidth >= MIN_TEXT_WIDTH;
  context.textAlign = "left";
  for (let position = positions.start; position < positions.end; position += 1) {
    const x = LABEL_WIDTH + position * cellWidth - offset.left;
    if (!columns.isRead(position)) {
      const top = HEAD_HEIGHT + rows.start * CELL_HEIGHT - offset.top;
      paintHatch(context, palette, x, top, cellWidth - gap, (rows.end - rows.start) * CELL_HEIGHT - gap);
      continue;
    }
    const nextId = tokenIds[position + 1];
    for (let row = rows.start; row < rows.end; row += 1) {
      const layer = flip(grid, row);
      const y = HEAD_HEIGHT + row * CELL_HEIGHT - offset.top;
      const value = metric.value(columns, position, layer);
      const hasValue = !Number.isNaN(value);
      const step = hasValue ? rampStep(scale, value) : 0;
      const ink = hasValue ? (ramp.ink[step] ?? palette.text) : palette.quiet;
      context.fillStyle = hasValue ? (ramp.fill[step] ?? palette.sunken) : palette.sunken;
      context.fillRect(x, y, cellWidth - gap, CELL_HEIGHT - 1);
      const id = columns.topId(position, layer);
      context.fillStyle = ink;
      if (hasText) {
        const text = labels.fitted(id, cellWidth - gap - 2 * PADDING);
        if (text !== "") context.fillText(text, x + PADDING, y + CELL_HEIGHT / 2);
      }
      if (id === nextId && cellWidth >= MIN_TEXT_WIDTH) {
        const right = x + cellWidth - gap;
        context.beginPath();
        context.moveTo(right - CORNER, y);
        context.lineTo(right, y);
        context.lineTo(right, y + CORNER);
        context.fill();
      }
    }
  }
}

/** Not read yet: thin slanted lines, which no value of a ramp looks like. */
function paintHatch(
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

/** Column heads: index, the token read at, and the one predicted; in narrow columns a number now and then. */
function paintHeads(
  context: CanvasRenderingContext2D,
  { grid, tokenIds, tokenTexts, selectedPosition }: Scene,
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
    if (isSelected) {
      context.fillStyle = palette.selected;
      context.fillRect(x, 0, cellWidth - 1, HEAD_HEIGHT - 1);
    }
    if (every === 1) {
      const room = cellWidth - 2 * PADDING;
      const next = tokenIds[position + 1];
      const quiet = isSelected ? palette.text : palette.quiet;
      context.fillStyle = quiet;
      context.fillText(String(position), x + PADDING, 10);
      context.fillStyle = palette.text;
      context.fillText(labels.fit(tokenTexts[position] ?? "", room), x + PADDING, 27);
      context.fillStyle = quiet;
      context.fillText(
        next === undefined ? "–" : labels.fit(tokenTexts[position + 1] ?? "", room),
        x + PADDING,
        44,
      );
    } else if (position % every === 0) {
      context.fillStyle = palette.line;
      context.fillRect(x, HEAD_HEIGHT - 8, 1, 7);
      context.fillStyle = palette.quiet;
      context.fillText(String(position), x + 2, HEAD_HEIGHT - 16);
    }
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
  context.textAlign = "right";
  context.save();
  context.beginPath();
  context.rect(0, HEAD_HEIGHT, LABEL_WIDTH, view.height - HEAD_HEIGHT);
  context.clip();
  for (let row = rows.start; row < rows.end; row += 1) {
    const layer = flip(grid, row);
    const y = HEAD_HEIGHT + row * CELL_HEIGHT - offset.top;
    const isSelected = layer === selectedLayer;
    if (isSelected) {
      context.fillStyle = palette.selected;
      context.fillRect(0, y, LABEL_WIDTH - 1, CELL_HEIGHT - 1);
    }
    context.fillStyle = isSelected ? palette.text : palette.quiet;
    context.fillText(layerLabels[layer] ?? String(layer), LABEL_WIDTH - 8, y + CELL_HEIGHT / 2);
  }
  context.restore();
}

/** What the lines of the column heads are. */
function paintCorner(context: CanvasRenderingContext2D, palette: Palette): void {
  context.fillStyle = palette.surface;
  context.fillRect(0, 0, LABEL_WIDTH - 1, HEAD_HEIGHT - 1);
  context.fillStyle = palette.quiet;
  context.textAlign = "right";
  context.fillText("index", LABEL_WIDTH - 8, 10);
  context.fillText("read at", LABEL_WIDTH - 8, 27);
  context.fillText("predicts", LABEL_WIDTH - 8, 44);
}
