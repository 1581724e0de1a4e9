import { useCallback, useState } from "react";
import type { CellPlace, Hit } from "@/charts/heatmap/geometry";
import { shownLayer } from "@/model/layers";
import { useSelection } from "@/features/selection/selection";
import { type Alignment, columnOf } from "@/features/pair/alignment";

interface CursorParts {
  readonly alignment: Alignment;
  /** The column to begin with; -1 where the predictions differ nowhere, or are not read. */
  readonly opening: number;
  /** Layers of A that have a row. */
  readonly layers: readonly number[];
  /** Of the conversation, A. */
  readonly nTokens: number;
}

export interface Cursor {
  /** The column and layer that the details are of. */
  readonly place: CellPlace;
  /** The column of the token that is selected on the page; null where it has none. */
  readonly selectedColumn: number | null;
  readonly selectedLayer: number | null;
  /** Moves without selecting. */
  readonly activate: (place: CellPlace) => void;
  /** Selects what A's token of the column predicts, and the layer. */
  readonly choose: (hit: Hit) => void;
}

/**
 * One place for both sides. It is where the keys or a click went last, until another token or layer is
 * selected on the page; with nothing selected, where the two are opened, else the last pair.
 */
export function useCursor({ alignment, opening, layers, nTokens }: CursorParts): Cursor {
  const { index, layer, select } = useSelection();
  const [active, setActive] = useState<(CellPlace & { index: number | null; at: number | null }) | null>(
    null,
  );
  const selectedColumn = index === null || index === 0 ? null : columnOf(alignment, index - 1);
  const { columns } = alignment;
  const start =
    opening < 0 ? columns.findLastIndex((column) => column.a !== null && column.b !== null) : opening;
  const isCurrent = active !== null && active.index === index && active.at === layer;
  const wanted = isCurrent
    ? active
    : { position: selectedColumn ?? start, layer: layer ?? layers.at(-1) ?? 0 };
  const place: CellPlace = {
    position: Math.max(0, Math.min(wanted.position, columns.length - 1)),
    layer: shownLayer(layers, wanted.layer),
  };
  return {
    place,
    selectedColumn,
    selectedLayer: layer,
    activate: useCallback((next: CellPlace) => setActive({ ...next, index, at: layer }), [index, layer]),
    choose: (hit) => {
      const position = hit.position ?? place.position;
      const chosenLayer = hit.layer ?? place.layer;
      const read = hit.position === null ? null : (columns[position]?.a ?? null);
      // What a place predicts is the token after it: that is the one to select.
      const after =
        read !== null && read + 1 < nTokens
          ? { index: read + 1, layer: hit.layer ?? layer }
          : { index, layer: hit.position === null ? hit.layer : layer };
      setActive({ position, layer: chosenLayer, index: after.index, at: after.layer });
      select(after.index, after.layer);
    },
  };
}
