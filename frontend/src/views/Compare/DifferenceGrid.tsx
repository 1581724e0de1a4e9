import { type ReactNode, useCallback, useId, useMemo, useState } from "react";
import type { Span } from "@/base/span";
import { DIFFERENCE, DIVERGING, type Scale } from "@/charts/colour/colour";
import { CellLooks, type CellSource } from "@/charts/heatmap/cellLooks";
import { CellPicture } from "@/charts/heatmap/CellPicture";
import { CELL_HEIGHT, type CellPlace, type Grid, zoomed } from "@/charts/heatmap/geometry";
import type { LayerLabels } from "@/model/layers";
import type { GridWindow } from "@/charts/heatmap/GridWindow";
import { HeatmapGrid } from "@/charts/heatmap/HeatmapGrid";
import { Legend } from "@/charts/heatmap/Legend";
import { Overview } from "@/charts/heatmap/Overview";
import type { Scene } from "@/charts/heatmap/paint";
import { useTheme } from "@/features/settings/theme";
import type { Alignment } from "@/features/pair/alignment";
import type { Difference } from "./differences";
import { gridCaption } from "./gridCaption";
import { pairHeads, pairText } from "./pairCells";
import type { Cursor } from "./useCursor";

interface DifferenceGridProps {
  readonly alignment: Alignment;
  /** A new one with each change of what was read. */
  readonly cells: CellSource;
  readonly difference: Difference;
  readonly scale: Scale;
  /** Layers of A that have a row, and what stands before each, by layer. */
  readonly layers: readonly number[];
  readonly layerLabels: LayerLabels;
  readonly textsA: readonly string[];
  readonly textsB: readonly string[];
  readonly textOf: (tokenId: number) => string;
  readonly cursor: Cursor;
  readonly describe: (place: CellPlace) => string;
  readonly gridWindow: GridWindow;
  readonly cellWidth: number;
  readonly onZoom: (cellWidth: number) => void;
  readonly onVisible: (span: Span) => void;
  /** What stands before the legend. */
  readonly children: ReactNode;
}

const ignoreRange = (): void => undefined;

/** Both token rows and the difference of their predictions, layer by layer, in one grid that scrolls. */
export function DifferenceGrid(props: DifferenceGridProps) {
  const { alignment, cells, difference, scale, layers, layerLabels, textsA, textsB, textOf } = props;
  const { cursor, describe, gridWindow, cellWidth, onZoom, onVisible, children } = props;
  const theme = useTheme();
  const gridId = useId();
  const [hovered, setHovered] = useState<CellPlace | null>(null);
  const nColumns = alignment.columns.length;
  const ramp = (difference.isSigned ? DIVERGING : DIFFERENCE)[theme];
  const looks = useMemo(() => new CellLooks({ cells, layers, scale }), [cells, layers, scale]);
  const picture = useMemo(() => new CellPicture(looks, ramp, ramp), [looks, ramp]);
  const hasUnread = useMemo(
    () => picture.unread({ start: 0, end: nColumns }).length > 0,
    [picture, nColumns],
  );
  const heads = useMemo(
    () => pairHeads(alignment, { a: textsA, b: textsB }, cellWidth),
    [alignment, textsA, textsB, cellWidth],
  );
  const grid = useMemo<Grid>(
    () => ({ nPositions: nColumns, layers, cellWidth, cellHeight: CELL_HEIGHT }),
    [nColumns, layers, cellWidth],
  );
  const { selectedColumn, selectedLayer } = cursor;
  const scene = useMemo<Scene>(
    () => ({
      grid,
      cells,
      looks,
      picture,
      layerLabels,
      heads,
      ramp,
      answerRamp: ramp,
      outlined: null,
      range: null,
      selectedPosition: selectedColumn,
      selectedLayer,
    }),
    [grid, cells, looks, picture, layerLabels, heads, ramp, selectedColumn, selectedLayer],
  );
  const textOfCell = useMemo(() => (textId: number) => pairText(textId, textOf), [textOf]);
  const zoom = useCallback((direction: 1 | -1) => onZoom(zoomed(cellWidth, direction)), [onZoom, cellWidth]);
  const isThere = hovered !== null && hovered.position < nColumns && layers.includes(hovered.layer);
  return (
    <>
      <div className="flex flex-wrap items-end gap-x-2 gap-y-1.5 px-3 pt-2">
        {children}
        <Legend metric={difference} scale={scale} ramp={ramp} second={null} nClipped={looks.nClipped} />
      </div>
      <Overview
        picture={picture}
        nPositions={nColumns}
        nRows={layers.length}
        unit="column"
        gridId={gridId}
        gridWindow={gridWindow}
        range={null}
        selectedPosition={selectedColumn}
        theme={theme}
        onZoom={zoom}
      />
      <HeatmapGrid
        id={gridId}
        label={`A above B, layers by aligned tokens, coloured by ${difference.title}`}
        scene={scene}
        textOf={textOfCell}
        theme={theme}
        active={cursor.place}
        activeDescription={describe(cursor.place)}
        hovered={isThere ? hovered : null}
        gridWindow={gridWindow}
        onHover={setHovered}
        onActivate={cursor.activate}
        onChoose={cursor.choose}
        onRange={ignoreRange}
        onClearRange={ignoreRange}
        onZoom={zoom}
        onVisible={onVisible}
      />
      <p className="min-h-10 shrink-0 px-3 pt-1 text-cell text-muted max-md:hidden">
        {isThere
          ? describe(hovered)
          : gridCaption({ cellWidth, hasGaps: alignment.nPairs < nColumns, hasUnread })}
      </p>
    </>
  );
}
