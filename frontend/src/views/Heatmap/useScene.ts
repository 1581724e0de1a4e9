/** What the grid draws: the cells in their colours, with what is marked, noted, outlined and selected. */
import { useMemo } from "react";
import type { OutlinedCells } from "@/charts/heatmap/cellLooks";
import type { Span } from "@/base/span";
import { CELL_HEIGHT, type Grid, fittingHeight } from "@/charts/heatmap/geometry";
import type { Scene } from "@/charts/heatmap/paint";
import { useNotes } from "@/features/notes/notes";
import { useSelection } from "@/features/selection/selection";
import { notedPlaces } from "@/model/notes";
import { type HeatmapLook, fitsRows } from "./choices";
import { lensHeads } from "./lensCells";
import type { useCells } from "./useCells";

interface SceneRequest {
  readonly nPositions: number;
  readonly look: HeatmapLook;
  readonly drawn: ReturnType<typeof useCells>;
  readonly outlined: OutlinedCells | null;
  readonly range: Span | null;
  /** px that the grid can have; null until it is measured. */
  readonly room: number | null;
}

export interface HeatmapScene {
  readonly grid: Grid;
  /** Null before the first was read. */
  readonly scene: Scene | null;
}

export function useScene({ nPositions, look, drawn, outlined, range, room }: SceneRequest): HeatmapScene {
  const { index, layer } = useSelection();
  const { notes } = useNotes();
  const { layers, layerLabels, tokenTexts, ramp, answerRamp, painted } = drawn;
  const noted = useMemo(() => (notes.length === 0 ? undefined : notedPlaces(notes)), [notes]);
  const heads = useMemo(() => lensHeads(tokenTexts, noted), [tokenTexts, noted]);
  const selectedPosition = index === null || index === 0 || index >= nPositions ? null : index - 1;
  const cellHeight =
    room !== null && fitsRows(look, layers.length) ? fittingHeight(layers.length, room) : CELL_HEIGHT;
  const grid = useMemo<Grid>(
    () => ({ nPositions, layers, cellWidth: look.cellWidth, cellHeight }),
    [nPositions, layers, look.cellWidth, cellHeight],
  );
  const scene = useMemo<Scene | null>(
    () =>
      painted === null
        ? null
        : {
            grid,
            cells: painted.cells,
            looks: painted.looks,
            picture: painted.picture,
            layerLabels,
            heads,
            ramp,
            answerRamp,
            outlined,
            noted,
            range,
            selectedPosition,
            selectedLayer: layer,
          },
    [grid, painted, layerLabels, heads, ramp, answerRamp, outlined, noted, range, selectedPosition, layer],
  );
  return { grid, scene };
}
