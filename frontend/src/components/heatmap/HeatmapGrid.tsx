import clsx from "clsx";
import { type KeyboardEvent, type MouseEvent, useEffect, useId, useMemo, useRef } from "react";
import type { Ramp, Scale } from "@/lib/colour";
import type { LensColumns, Span } from "@/lib/columns";
import type { Metric } from "@/lib/metrics";
import {
  CELL_HEIGHT,
  type CellPlace,
  type Grid,
  HEAD_HEIGHT,
  type Hit,
  LABEL_WIDTH,
  contentSize,
  flip,
  frameHeights,
  hitAt,
  placeAfterKey,
} from "./geometry";
import { HeatmapPainter } from "./HeatmapPainter";
import type { Scene } from "./paint";

interface HeatmapGridProps {
  readonly label: string;
  readonly columns: LensColumns;
  /** Changes with the contents of `columns`. */
  readonly version: number;
  readonly nLayers: number;
  readonly layerLabels: readonly string[];
  readonly tokenIds: readonly number[];
  readonly tokenTexts: readonly string[];
  /** Cell form of any predicted token. */
  readonly textOf: (tokenId: number) => string;
  readonly metric: Metric;
  readonly scale: Scale;
  readonly ramp: Ramp;
  /** Colours of the chrome are read again when it changes. */
  readonly theme: string;
  readonly cellWidth: number;
  readonly selectedPosition: number | null;
  readonly selectedLayer: number | null;
  /** The keyboard's cell. */
  readonly active: CellPlace;
  /** The active cell in words. */
  readonly activeDescription: string;
  readonly hovered: CellPlace | null;
  readonly onHover: (place: CellPlace | null) => void;
  readonly onActivate: (place: CellPlace) => void;
  readonly onChoose: (hit: Hit) => void;
  readonly onZoom: (direction: 1 | -1) => void;
  readonly onVisible: (span: Span) => void;
}

/** Layers by positions on a canvas, in a container that scrolls natively. One tab stop, arrow keys inside. */
export function HeatmapGrid(props: HeatmapGridProps) {
  const { columns, version, nLayers, layerLabels, tokenIds, tokenTexts, textOf, metric, scale, ramp } = props;
  const { theme, cellWidth, selectedPosition, selectedLayer, active, hovered } = props;
  const { onHover, onActivate, onChoose, onZoom, onVisible } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const marks = useRef<HTMLDivElement>(null);
  const painter = useRef<HeatmapPainter>(null);
  const cellId = useId();

  const nPositions = tokenIds.length;
  const grid = useMemo<Grid>(() => ({ nPositions, nLayers, cellWidth }), [nPositions, nLayers, cellWidth]);
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
      onVisible,
    });
    painter.current = created;
    return () => {
      painter.current = null;
      created.dispose();
    };
  }, [onVisible]);

  const scene = useMemo<Scene>(
    () => ({
      grid,
      columns,
      version,
      layerLabels,
      tokenIds,
      tokenTexts,
      metric,
      scale,
      ramp,
      selectedPosition,
      selectedLayer,
    }),
    [
      grid,
      columns,
      version,
      layerLabels,
      tokenIds,
      tokenTexts,
      metric,
      scale,
      ramp,
      selectedPosition,
      selectedLayer,
    ],
  );
  useEffect(() => painter.current?.show(scene, textOf), [scene, textOf]);
  useEffect(() => painter.current?.recolour(), [theme]);

  // The view follows the selection and the keyboard, never the stream: new tokens change neither.
  useEffect(() => {
    if (selectedPosition !== null) painter.current?.reveal(selectedPosition, selectedLayer);
  }, [selectedPosition, selectedLayer]);

  const onKeyDown = (event: KeyboardEvent) => {
    const place = placeAfterKey(grid, active, event.key, event.ctrlKey || event.metaKey);
    if (place !== null) {
      onActivate(place);
      painter.current?.reveal(place.position, place.layer);
    } else if (event.key === "Enter" || event.key === " ") onChoose(active);
    else if (event.key === "+" || event.key === "=") onZoom(1);
    else if (event.key === "-") onZoom(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const hitOf = (event: MouseEvent): Hit | null => {
    const box = event.currentTarget.getBoundingClientRect();
    const offset = painter.current?.offset() ?? { left: 0, top: 0 };
    return hitAt(grid, offset, event.clientX - box.left, event.clientY - box.top);
  };
  const onPoint = (event: MouseEvent) => {
    const hit = hitOf(event);
    const place = isCell(hit) ? hit : null;
    if (place?.position !== hovered?.position || place?.layer !== hovered?.layer) onHover(place);
  };

  return (
    <div
      className="group relative shrink overflow-hidden border-y border-line font-mono"
      style={{ height: heights.full, minHeight: heights.least }}
    >
      <canvas ref={canvas} aria-hidden="true" className="absolute top-0 left-0" />
      <div
        aria-hidden="true"
        className="pointer-events-none absolute right-0 bottom-0 overflow-hidden"
        style={{ left: LABEL_WIDTH, top: HEAD_HEIGHT }}
      >
        <div ref={marks}>
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
        </div>
      </div>
      <div
        ref={scroller}
        role="grid"
        tabIndex={0}
        aria-label={props.label}
        aria-rowcount={nLayers}
        aria-colcount={nPositions}
        aria-activedescendant={cellId}
        onKeyDown={onKeyDown}
        onClick={(event) => {
          const hit = hitOf(event);
          if (hit !== null) onChoose(hit);
        }}
        onMouseMove={onPoint}
        onMouseLeave={() => onHover(null)}
        className={clsx(
          "absolute inset-0 overflow-auto overscroll-x-contain focus-visible:-outline-offset-2",
          hovered !== null && "cursor-pointer",
        )}
      >
        <div style={{ width: size.width, height: size.height }} />
        <div role="row" aria-rowindex={flip(grid, active.layer) + 1} className="sr-only">
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
  /** Null marks the whole column. */
  readonly layer: number | null;
  readonly className: string;
}

function Mark({ grid, position, layer, className }: MarkProps) {
  const rows = layer === null ? grid.nLayers : 1;
  const top = layer === null ? 0 : flip(grid, layer) * CELL_HEIGHT;
  return (
    <div
      className={clsx("absolute", className)}
      style={{
        left: position * grid.cellWidth,
        top,
        width: Math.max(2, grid.cellWidth - 1),
        height: rows * CELL_HEIGHT - 1,
      }}
    />
  );
}
