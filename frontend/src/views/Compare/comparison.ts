/** Rows of the comparison: pairs of layers, from what is chosen. */
import type { BKind } from "@/features/pair/pair";
import { everyLayer, layerLabel, layerNumber, shownLayer } from "@/model/layers";
import type { LensKind } from "@/model/lenses";
import type { CompareChoices, Rows } from "./choices";

/** A conversation beside itself differs only where other layers or another lens are read. */
export const rowsInUse = (
  choices: Pick<CompareChoices, "rows">,
  kind: BKind,
  lenses: { readonly a: LensKind; readonly b: LensKind },
): Rows => choices.rows ?? (kind === "same" && lenses.a === lenses.b ? "fixed" : "each");

/** Pairs of layers, of A and of B, the embedding first. */
export function layerPairs(
  rows: Rows,
  choices: Pick<CompareChoices, "layerA" | "layerB">,
  nLayers: number,
  hasHalf = false,
): [number, number][] {
  const all = everyLayer(nLayers, hasHalf);
  const bounded = (layer: number | null): number => shownLayer(all, layer);
  switch (rows) {
    case "each":
      return all.map((layer) => [layer, layer]);
    case "fixed":
      return all.map((layer) => [layer, bounded(choices.layerB)]);
    case "one":
      return [[bounded(choices.layerA), bounded(choices.layerB)]];
  }
}

/** What stands before a row: the layer, or the numbers of both where they may differ. */
export const rowLabel = ([a, b]: readonly [number, number], rows: Rows): string =>
  rows === "each" ? layerLabel(a) : `${layerNumber(a)} | ${layerNumber(b)}`;
