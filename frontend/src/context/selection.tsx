/** The one selected place, shared by the chat and every view: a token of the timeline and a layer. */
import { type ReactNode, createContext, useCallback, useContext, useMemo, useState } from "react";

interface Place {
  /** Index of the selected token in the timeline. */
  readonly index: number | null;
  /** 0 is the embedding, `n` the layer after block `n`. */
  readonly layer: number | null;
}

export interface Selection extends Place {
  /** Without `layer` the selected layer stays, so that one layer can be followed from token to token. */
  readonly select: (index: number | null, layer?: number | null) => void;
}

const SelectionContext = createContext<Selection | null>(null);

export function SelectionProvider({ children }: { readonly children: ReactNode }) {
  const [place, setPlace] = useState<Place>({ index: null, layer: null });
  const select = useCallback(
    (index: number | null, layer?: number | null) =>
      setPlace((before) => {
        const after = { index, layer: layer === undefined ? before.layer : layer };
        return after.index === before.index && after.layer === before.layer ? before : after;
      }),
    [],
  );
  const selection = useMemo(() => ({ ...place, select }), [place, select]);
  return <SelectionContext value={selection}>{children}</SelectionContext>;
}

export function useSelection(): Selection {
  const selection = useContext(SelectionContext);
  if (selection === null) throw new Error("useSelection needs a SelectionProvider above it");
  return selection;
}
