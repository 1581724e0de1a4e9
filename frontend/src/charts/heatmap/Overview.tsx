import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useSyncExternalStore } from "react";
import { isBrowserCommand } from "@/base/keys";
import { onPixelRatioChange } from "@/base/pixelRatio";
import type { Span } from "@/base/span";
import type { CellPicture } from "./CellPicture";
import { LABEL_WIDTH } from "./geometry";
import type { GridWindow } from "./GridWindow";
import { readPalette } from "./HeatmapPainter";
import { paintHatch } from "./paint";

interface OverviewProps {
  readonly picture: CellPicture;
  readonly nPositions: number;
  readonly nRows: number;
  /** What a column is called. */
  readonly unit: string;
  /** Id of the grid whose columns it moves. */
  readonly gridId: string;
  readonly gridWindow: GridWindow;
  readonly range: Span | null;
  readonly selectedPosition: number | null;
  /** Colours of the chrome are read again when it changes. */
  readonly theme: string;
  readonly onZoom: (direction: 1 | -1) => void;
}

const MIN_HEIGHT = 32;
const MAX_HEIGHT = 56;
const ROW_HEIGHT = 3;

/** The whole conversation in one strip. The frame is what the grid shows: drag it, or move it by keys. */
export function Overview(props: OverviewProps) {
  const { picture, nPositions, nRows, unit, gridId, gridWindow, range, selectedPosition, theme, onZoom } =
    props;
  const canvas = useRef<HTMLCanvasElement>(null);
  /** How far right of the frame's left edge the pointer holds it, in columns. */
  const held = useRef(0);
  const shown = useSyncExternalStore(gridWindow.subscribe, gridWindow.get);
  const height = Math.min(MAX_HEIGHT, Math.max(MIN_HEIGHT, ROW_HEIGHT * nRows));

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const draw = (): void => paintOverview(element, picture, nPositions);
    draw();
    const resizes = new ResizeObserver(draw);
    resizes.observe(element);
    const stopWatching = onPixelRatioChange(draw);
    return () => {
      resizes.disconnect();
      stopWatching();
    };
  }, [picture, nPositions, height, theme]);

  const width = shown.end - shown.start;
  const first = Math.round(shown.start);
  const lastStart = Math.max(0, Math.round(nPositions - width));
  const share = (positions: number): string => `${(100 * positions) / Math.max(1, nPositions)}%`;

  const columnAt = (event: PointerEvent<HTMLElement>): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return ((event.clientX - box.left) / Math.max(1, box.width)) * nPositions;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isBrowserCommand(event)) return;
    const start = startAfterKey(event.key, first, Math.max(1, Math.floor(width)), lastStart);
    if (start !== null) gridWindow.moveTo(start);
    else if (event.key === "+" || event.key === "=") onZoom(1);
    else if (event.key === "-") onZoom(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <div className="flex shrink-0 items-center py-1.5 pr-3">
      <span
        aria-hidden="true"
        className="shrink-0 pr-2 text-right text-cell text-muted"
        style={{ width: LABEL_WIDTH }}
      >
        overview
      </span>
      <div
        role="slider"
        tabIndex={0}
        aria-label="Part of the conversation that is shown"
        aria-controls={gridId}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={lastStart}
        aria-valuenow={Math.min(first, lastStart)}
        aria-valuetext={`${unit} ${first} to ${Math.max(first, Math.ceil(shown.end) - 1)} of ${nPositions}`}
        title="Drag the frame to move along the conversation"
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          const column = columnAt(event);
          // A press beside the frame brings its middle there.
          held.current = column >= shown.start && column < shown.end ? column - shown.start : width / 2;
          gridWindow.moveTo(column - held.current);
        }}
        onPointerMove={(event) => {
          if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
          gridWindow.moveTo(columnAt(event) - held.current);
        }}
        className="relative min-w-0 flex-1 cursor-grab touch-none overflow-hidden rounded-[2px] bg-sunken active:cursor-grabbing"
        style={{ height }}
      >
        <canvas ref={canvas} aria-hidden="true" className="absolute inset-0 size-full" />
        {range !== null && (
          <span
            className="absolute inset-y-0 border-x-2 border-accent shadow-[0_0_0_1px_var(--surface)]"
            style={{ left: share(range.start), width: share(range.end - range.start) }}
          />
        )}
        {selectedPosition !== null && (
          <span
            className="absolute inset-y-0 w-px bg-ink shadow-[1px_0_0_var(--surface)]"
            style={{ left: share(selectedPosition + 0.5) }}
          />
        )}
        <span
          data-part="frame"
          className="absolute inset-y-0 rounded-[2px] border-2 border-ink shadow-[0_0_0_1px_var(--surface),inset_0_0_0_1px_var(--surface)]"
          style={{ left: share(shown.start), width: share(width), minWidth: 6 }}
        />
      </div>
    </div>
  );
}

function startAfterKey(key: string, start: number, page: number, last: number): number | null {
  switch (key) {
    case "ArrowLeft":
    case "ArrowDown":
      return start - 1;
    case "ArrowRight":
    case "ArrowUp":
      return start + 1;
    case "PageUp":
      return start - page;
    case "PageDown":
      return start + page;
    case "Home":
      return 0;
    case "End":
      return last + 1;
    default:
      return null;
  }
}

function paintOverview(canvas: HTMLCanvasElement, picture: CellPicture, nPositions: number): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const ratio = window.devicePixelRatio;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const palette = readPalette(canvas);
  context.fillStyle = palette.sunken;
  context.fillRect(0, 0, width, height);
  // More columns than pixels are mixed: leaving some out would lose what stands in a single column.
  context.imageSmoothingEnabled = nPositions > canvas.width;
  context.imageSmoothingQuality = "high";
  picture.paint(context, { start: 0, end: nPositions }, null, { x: 0, y: 0, width, height });
  for (const { start, end } of picture.unread({ start: 0, end: nPositions })) {
    const x = (start / nPositions) * width;
    paintHatch(context, palette, x, 0, ((end - start) / nPositions) * width, height);
  }
}
