/** Which cell is looked at: where the keys or a click went last, until the pointer is over another one. */
import { useCallback, useState } from "react";
import { type CellPlace, type Grid, type Hit, shownLayer } from "@/charts/heatmap/geometry";
import { useSelection } from "@/features/selection/selection";

interface PlaceRequest {
  readonly grid: Grid;
  readonly lastLayer: number;
  /** Takes a press on a column; false where it was not for the range. */
  readonly take: (position: number) => boolean;
}

export interface HeatmapPlace {
  /** The keyboard's cell. */
  readonly cursor: CellPlace;
  readonly hovered: CellPlace | null;
  /** The one that is described: the hovered one, else that of the keyboard. */
  readonly shown: CellPlace;
  readonly onHover: (place: CellPlace | null) => void;
  readonly onActivate: (place: CellPlace) => void;
  readonly onChoose: (hit: Hit) => void;
}

export function usePlace({ grid, lastLayer, take }: PlaceRequest): HeatmapPlace {
  const { nPositions } = grid;
  const { index, layer, select } = useSelection();
  const [active, onActivate] = useState<CellPlace | null>(null);
  const [hovered, onHover] = useState<CellPlace | null>(null);
  const selectedPosition = index === null || index === 0 || index >= nPositions ? null : index - 1;
  const cursor = nearestCell(
    grid,
    active ?? { position: selectedPosition ?? nPositions - 1, layer: layer ?? lastLayer },
  );
  const onChoose = useCallback(
    (hit: Hit) => {
      if (hit.position !== null && take(hit.position)) return;
      if (hit.position !== null) {
        const { position } = hit;
        onActivate((before) => ({ position, layer: hit.layer ?? before?.layer ?? lastLayer }));
      }
      // What a column predicts is the token after it: that is the one to select.
      if (hit.position === null) select(index, hit.layer);
      else if (hit.position + 1 < nPositions) select(hit.position + 1, hit.layer ?? layer);
    },
    [index, layer, lastLayer, select, nPositions, take],
  );
  return {
    cursor,
    hovered,
    shown: hovered === null ? cursor : nearestCell(grid, hovered),
    onHover,
    onActivate,
    onChoose,
  };
}

/** The cell itself, or the nearest one that there is. */
const nearestCell = (grid: Grid, place: CellPlace): CellPlace => ({
  position: Math.min(place.position, grid.nPositions - 1),
  layer: shownLayer(grid, place.layer),
});
