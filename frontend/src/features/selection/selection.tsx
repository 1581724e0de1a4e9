/** The one selected place, shared by the chat and every view. */
import { type ReactNode, createContext, useCallback, useContext, useMemo, useState } from "react";
import type { Span } from "@/base/span";
import { NOWHERE, type Place, atIndex, indexOf, isSamePlace, layerOf, placeAt } from "@/model/place";

interface Selected {
  readonly place: Place;
  /** The token to which the selection was extended; null where it is the selected token alone. */
  readonly extent: number | null;
  /** The next token that is pressed ends a range, as with Shift. */
  readonly isExtending: boolean;
}

export interface Selection extends Selected {
  /** Index of the selected token in the timeline. */
  readonly index: number | null;
  /** 0 is the embedding, `n` the layer after block `n`. */
  readonly layer: number | null;
  /** Several tokens from the selected one on, or up to it; null where it was not extended. */
  readonly range: Span | null;
  /** Another place of the same token leaves the range as it is; any other ends it. */
  readonly selectPlace: (place: Place) => void;
  /**
   * Without `layer` the selected layer, block or head stays, so that it can be followed from token to
   * token, and the range ends.
   */
  readonly select: (index: number | null, layer?: number | null) => void;
  /** Makes a range from the selected token to this one; null ends it. */
  readonly extend: (extent: number | null) => void;
  /** The next pressed token ends a range, as with Shift on a keyboard; false cancels that. */
  readonly setExtending: (isExtending: boolean) => void;
}

const NOTHING: Selected = { place: NOWHERE, extent: null, isExtending: false };

const SelectionContext = createContext<Selection | null>(null);

export function SelectionProvider({ children }: { readonly children: ReactNode }) {
  const [selected, setSelected] = useState<Selected>(NOTHING);
  const selectPlace = useCallback(
    (place: Place) =>
      setSelected((before) => {
        const isSameToken = indexOf(place) === indexOf(before.place);
        return changed(before, { place, extent: isSameToken ? before.extent : null, isExtending: false });
      }),
    [],
  );
  const select = useCallback(
    (index: number | null, layer?: number | null) => {
      if (layer !== undefined) selectPlace(placeAt(index, layer));
      else
        setSelected((before) =>
          changed(before, { place: atIndex(before.place, index), extent: null, isExtending: false }),
        );
    },
    [selectPlace],
  );
  const extend = useCallback(
    (extent: number | null) =>
      setSelected((before) => {
        const index = indexOf(before.place);
        return changed(
          before,
          index === null
            ? { ...before, place: atIndex(before.place, extent), isExtending: false }
            : { ...before, extent: extent === index ? null : extent, isExtending: false },
        );
      }),
    [],
  );
  const setExtending = useCallback(
    (isExtending: boolean) => setSelected((before) => changed(before, { ...before, isExtending })),
    [],
  );
  const selection = useMemo(() => {
    const index = indexOf(selected.place);
    return {
      ...selected,
      index,
      layer: layerOf(selected.place),
      range: rangeOf(index, selected.extent),
      selectPlace,
      select,
      extend,
      setExtending,
    };
  }, [selected, selectPlace, select, extend, setExtending]);
  return <SelectionContext value={selection}>{children}</SelectionContext>;
}

/** The same object where nothing is different. */
const changed = (before: Selected, after: Selected): Selected =>
  isSamePlace(after.place, before.place) &&
  after.extent === before.extent &&
  after.isExtending === before.isExtending
    ? before
    : after;

const rangeOf = (index: number | null, extent: number | null): Span | null =>
  index === null || extent === null
    ? null
    : { start: Math.min(index, extent), end: Math.max(index, extent) + 1 };

export function useSelection(): Selection {
  const selection = useContext(SelectionContext);
  if (selection === null) throw new Error("useSelection needs a SelectionProvider above it");
  return selection;
}
