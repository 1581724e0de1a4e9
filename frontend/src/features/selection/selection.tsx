/** The one selected place, shared by the chat and every view: a token of the timeline and a layer. */
import { type ReactNode, createContext, useCallback, useContext, useMemo, useState } from "react";
import type { Span } from "@/base/span";

interface Place {
  /** Index of the selected token in the timeline. */
  readonly index: number | null;
  /** 0 is the embedding, `n` the layer after block `n`. */
  readonly layer: number | null;
  /** The token to which the selection was extended; null where it is the selected token alone. */
  readonly extent: number | null;
  /** The next token that is pressed ends a range, as with Shift. */
  readonly isExtending: boolean;
}

export interface Selection extends Place {
  /** Several tokens from the selected one on, or up to it; null where it was not extended. */
  readonly range: Span | null;
  /**
   * Without `layer` the selected layer stays, so that one layer can be followed from token to token.
   * Another layer of the same token leaves the range as it is; everything else ends it.
   */
  readonly select: (index: number | null, layer?: number | null) => void;
  /** Makes a range from the selected token to this one; null ends it. */
  readonly extend: (extent: number | null) => void;
  /** Lets the next pressed token end a range, for who has no Shift; false takes it back. */
  readonly setExtending: (isExtending: boolean) => void;
}

const NOWHERE: Place = { index: null, layer: null, extent: null, isExtending: false };

const SelectionContext = createContext<Selection | null>(null);

export function SelectionProvider({ children }: { readonly children: ReactNode }) {
  const [place, setPlace] = useState<Place>(NOWHERE);
  const select = useCallback(
    (index: number | null, layer?: number | null) =>
      setPlace((before) => {
        const isSameToken = layer !== undefined && index === before.index;
        return changed(before, {
          index,
          layer: layer === undefined ? before.layer : layer,
          extent: isSameToken ? before.extent : null,
          isExtending: false,
        });
      }),
    [],
  );
  const extend = useCallback(
    (extent: number | null) =>
      setPlace((before) =>
        changed(
          before,
          before.index === null
            ? { ...before, index: extent, isExtending: false }
            : { ...before, extent: extent === before.index ? null : extent, isExtending: false },
        ),
      ),
    [],
  );
  const setExtending = useCallback(
    (isExtending: boolean) => setPlace((before) => changed(before, { ...before, isExtending })),
    [],
  );
  const selection = useMemo(
    () => ({ ...place, range: rangeOf(place), select, extend, setExtending }),
    [place, select, extend, setExtending],
  );
  return <SelectionContext value={selection}>{children}</SelectionContext>;
}

/** The same object where nothing is different. */
const changed = (before: Place, after: Place): Place =>
  after.index === before.index &&
  after.layer === before.layer &&
  after.extent === before.extent &&
  after.isExtending === before.isExtending
    ? before
    : after;

const rangeOf = ({ index, extent }: Place): Span | null =>
  index === null || extent === null
    ? null
    : { start: Math.min(index, extent), end: Math.max(index, extent) + 1 };

export function useSelection(): Selection {
  const selection = useContext(SelectionContext);
  if (selection === null) throw new Error("useSelection needs a SelectionProvider above it");
  return selection;
}
