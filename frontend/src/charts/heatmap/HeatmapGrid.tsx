import clsx from "clsx";
import { type KeyboardEvent, type MouseEvent, type ReactNode, useEffect, useId, useRef } from "react";
import { isBrowserCommand } from "@/base/keys";
import type { Span } from "@/base/span";
import { CellCardAt } from "./CellCardAt";
import {
  type CellPlace,
  type Grid,
  HEAD_HEIGHT,
  type Hit,
  LABEL_WIDTH,
  contentSize,
  frameHeights,
  hitAt,
  placeAfterKey,
  rowOf,
  zoomed,
} from "./geometry";
import type { GridWindow } from "./GridWindow";
import { HeatmapPainter } from "./HeatmapPainter";
import type { Scene } from "./paint";

interface HeatmapGridProps {
  readonly id: string;
  readonly label: string;
  readonly scene: Scene;
  /** Cell form of any predicted token. */
  readonly textOf: (tokenId: number) => string;
  /** Colours of the chrome are read again when it changes. */
  readonly theme: string;
  /** The keyboard's cell. */
  readonly active: CellPlace;
  /** The active cell in words. */
  readonly activeDescription: string;
  readonly hovered: CellPlace | null;
  readonly gridWindow: GridWindow;
  readonly onHover: (place: CellPlace | null) => void;
  readonly onActivate: (place: CellPlace) => void;
  readonly onChoose: (hit: Hit) => void;
  /** A range of positions from where it began to where it is now, or none. */
  readonly onRange: (from: number, to: number) => void;
  readonly onClearRange: () => void;
  readonly onZoom: (direction: 1 | -1) => void;
  readonly onVisible: (span: Span) => void;
  /** Stands beside the cell under the pointer, or beside that of the keyboard. */
  readonly card?: (place: CellPlace) => ReactNode;
}

/** Turns of a wheel, in pixels of scrolling, for one step of the cells' width. */
const WHEEL_STEP = 40;
/** Pixels of a line, where a mouse counts lines. */
const WHEEL_LINE = 16;

/** Layers by positions on a canvas, in a container that scrolls natively. One tab stop, arrow keys inside. */
export function HeatmapGrid(props: HeatmapGridProps) {
  const { scene, textOf, theme, active, hovered, gridWindow } = props;
  const { onHover, onActivate, onChoose, onRange, onClearRange, onZoom, onVisible } = props;
  const { grid, selectedPosition, selectedLayer, range } = scene;
  const canvas = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const marks = useRef<HTMLDivElement>(null);
  const painter = useRef<HeatmapPainter>(null);
  /** Where keys or the pointer began a range. */
  const anchor = useRef(0);
  /** The button went up at the end of a range: the click that follows is no choice. */
  const hasDragged = useRef(false);
  const cellId = useId();

  const size = contentSize(grid);
  const heights = frameHeights(grid);

  useEffect(() => {
    const context = canvas.current?.getContext("2d", { alpha: false }) ?? null;
    if (canvas.current === null || context === null || scroller.current === null || marks.current === null) {
      return undefined;
    }
    const created = new HeatmapPainter({
      canvas: canvas.current,
      context,
      scroller: scroller.current,
      marks: marks.current,
      gridWindow,
      onVisible,
    });
    painter.current = created;
    return () => {
      painter.current = null;
      created.dispose();
    };
  }, [gridWindow, onVisible]);

  useEffect(() => painter.current?.show(scene, textOf), [scene, textOf]);
  useEffect(() => painter.current?.recolour(), [theme]);

  // The view follows the selection and the keyboard, never the stream: new tokens change neither.
  useEffect(() => {
    if (selectedPosition === null) return;
    painter.current?.reveal({ position: selectedPosition, layer: selectedLayer, isCentred: true });
  }, [selectedPosition, selectedLayer]);

  const { cellWidth } = grid;
  useEffect(() => {
    const element = scroller.current;
    let turned = 0;
    // A wheel with Ctrl would zoom the page unless it is stopped, which a passive listener may not do.
    const onWheel = (event: WheelEvent): void => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      turned += event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * WHEEL_LINE : event.deltaY;
      if (Math.abs(turned) < WHEEL_STEP) return;
      const direction = turned < 0 ? 1 : -1;
      turned = 0;
      if (zoomed(cellWidth, direction) === cellWidth || element === null) return;
      painter.current?.holdAt(event.clientX - element.getBoundingClientRect().left);
      onZoom(direction);
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, [cellWidth, onZoom]);

  const moveTo = (place: CellPlace): void => {
    onActivate(place);
    painter.current?.reveal(place);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const isCorner = event.ctrlKey && (event.key === "Home" || event.key === "End");
    if (isBrowserCommand(event) && !isCorner) return;
    const place = placeAfterKey(grid, active, event.key, event.ctrlKey);
    if (place !== null) {
      if (event.shiftKey && place.position !== active.position) {
        if (range === null) anchor.current = active.position;
        onRange(anchor.current, place.position);
      }
      moveTo(place);
    } else if (event.key === "Enter" || event.key === " ") onChoose(active);
    else if (event.key === "+" || event.key === "=") onZoom(1);
    else if (event.key === "-") onZoom(-1);
    else if (event.key === "Escape" && range !== null) onClearRange();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const hitOf = (event: { readonly clientX: number; readonly clientY: number }): Hit | null => {
    const box = scroller.current?.getBoundingClientRect();
    const offset = painter.current?.offset() ?? { left: 0, top: 0 };
    return box === undefined ? null : hitAt(grid, offset, event.clientX - box.left, event.clientY - box.top);
  };
  const onPoint = (event: MouseEvent) => {
    const hit = hitOf(event);
    const place = isCell(hit) ? hit : null;
    if (place?.position !== hovered?.position || place?.layer !== hovered?.layer) onHover(place);
  };
  /** A press that moves to another column chooses a range; the mouse may leave the grid meanwhile. */
  const onPress = (event: MouseEvent) => {
    hasDragged.current = false;
    const from = hitOf(event)?.position ?? null;
    if (event.button !== 0 || event.shiftKey || from === null) return;
    const onMove = (move: globalThis.MouseEvent): void => {
      const box = scroller.current?.getBoundingClientRect();
      if (box === undefined) return;
      // Beyond an edge the nearest column counts, and comes into view.
      const x = Math.min(
        box.left + Math.max(box.width, LABEL_WIDTH + 1),
        Math.max(box.left + LABEL_WIDTH, move.clientX),
      );
      const offset = painter.current?.offset() ?? { left: 0, top: 0 };
      const column = Math.floor((x - box.left - LABEL_WIDTH + offset.left) / grid.cellWidth);
      const to = Math.min(grid.nPositions - 1, Math.max(0, column));
      if (to === from && !hasDragged.current) return;
      hasDragged.current = true;
      anchor.current = from;
      onRange(from, to);
      painter.current?.reveal({ position: to, layer: null });
    };
    const onRelease = (): void => {
      window.removeEventListener("mousemove", onMove);
      window.removeEventListener("mouseup", onRelease);
    };
    window.addEventListener("mousemove", onMove);
    window.addEventListener("mouseup", onRelease);
  };
  const onClick = (event: MouseEvent) => {
    const hit = hasDragged.current ? null : hitOf(event);
    hasDragged.current = false;
    if (hit === null) return;
    if (event.shiftKey && hit.position !== null) {
      if (range === null) anchor.current = active.position;
      onRange(anchor.current, hit.position);
    } else onChoose(hit);
  };

  return (
    <div
      className="group relative shrink overflow-hidden border-y border-line font-mono"
      style={{ height: heights.full, minHeight: heights.least }}
    >
      {/* Without a size until it is drawn: a canvas without transparency begins black. */}
      <canvas ref={canvas} width={0} height={0} aria-hidden="true" className="absolute top-0 left-0" />
      <div
        aria-hidden="true"
        className="pointer-events-none absolute right-0 bottom-0 overflow-hidden"
        style={{ left: LABEL_WIDTH, top: HEAD_HEIGHT }}
      >
        <div ref={marks} className="relative">
          {range !== null && (
            <Mark
              grid={grid}
              position={range.start}
              nPositions={range.end - range.start}
              layer={null}
              className="outline-2 -outline-offset-1 outline-accent shadow-[inset_0_0_0_3px_var(--surface)]"
            />
          )}
          {selectedPosition !== null && (
            <Mark
              grid={grid}
              position={selectedPosition}
              layer={null}
              className="outline-1 -outline-offset-1 outline-ink"
            />
          )}
          {selectedPosition !== null && selectedLayer !== null && (
            <Mark
              grid={grid}
              position={selectedPosition}
              layer={selectedLayer}
              className="outline-2 -outline-offset-1 outline-ink shadow-[inset_0_0_0_2px_var(--surface-raised)]"
            />
          )}
          {hovered !== null && (
            <Mark
              grid={grid}
              {...hovered}
              className="outline-1 outline-ink shadow-[inset_0_0_0_1px_var(--surface)]"
            />
          )}
          <Mark
            grid={grid}
            {...active}
            className="hidden outline-2 outline-focus shadow-[inset_0_0_0_1px_var(--surface)] group-has-focus-visible:block"
          />
          {props.card !== undefined && (
            <CellCardAt
              grid={grid}
              place={hovered ?? active}
              className={clsx(hovered === null && "invisible group-has-focus-visible:visible")}
            >
              {props.card(hovered ?? active)}
            </CellCardAt>
          )}
        </div>
      </div>
      <div
        ref={scroller}
        id={props.id}
        role="grid"
        tabIndex={0}
        aria-label={props.label}
        aria-rowcount={grid.layers.length}
        aria-colcount={grid.nPositions}
        aria-activedescendant={cellId}
        onKeyDown={onKeyDown}
        onMouseDown={onPress}
        onClick={onClick}
        onMouseMove={onPoint}
        onMouseLeave={() => onHover(null)}
        className={clsx(
          "absolute inset-0 overflow-auto overscroll-x-contain select-none focus-visible:-outline-offset-2",
          hovered !== null && "cursor-pointer",
        )}
      >
        <div style={{ width: size.width, height: size.height }} />
        <div role="row" aria-rowindex={(rowOf(grid, active.layer) ?? 0) + 1} className="sr-only">
          <span id={cellId} role="gridcell" aria-colindex={active.position + 1}>
            {props.activeDescription}
          </span>
        </div>
      </div>
    </div>
  );
}

const isCell = (hit: Hit | null): hit is CellPlace => typeof hit?.position === "number" && hit.layer !== null;

interface MarkProps {
  readonly grid: Grid;
  readonly position: number;
  readonly nPositions?: number;
  /** Null marks whole columns. */
  readonly layer: number | null;
  readonly className: string;
}

/** A frame around a cell or columns; nothing where the layer has no row. */
function Mark({ grid, position, nPositions = 1, layer, className }: MarkProps) {
  const row = layer === null ? 0 : rowOf(grid, layer);
  if (row === null) return null;
  const nRows = layer === null ? grid.layers.length : 1;
  return (
    <div
      className={clsx("absolute", className)}
      style={{
        left: position * grid.cellWidth,
        top: row * grid.cellHeight,
        width: Math.max(2, nPositions * grid.cellWidth - 1),
        height: nRows * grid.cellHeight - 1,
      }}
    />
  );
}
