/**
 * A place in the model's run over the text: the one thing that is selected, which every view reads and
 * moves, and its words in the page's address. A view that knows a narrower kind than another shows what
 * it knows of the place: `indexOf` and `layerOf` give it.
 */
export type Place =
  | { readonly kind: "none" }
  | { readonly kind: "token"; readonly index: number }
  /**
   * The residual stream at a layer: 0 is the embedding, `n` after block `n`, `n - 0.5` inside it. Of every
   * token where `index` is null.
   */
  | { readonly kind: "layer"; readonly index: number | null; readonly layer: number }
  /** What block `block`, from 1, adds. */
  | { readonly kind: "block"; readonly index: number; readonly block: number }
  /** A head of a block, from 0; with `second`, its attention from the token at `index` to that one. */
  | {
      readonly kind: "head";
      readonly index: number;
      readonly block: number;
      readonly head: number;
      readonly second: number | null;
    };

export const NOWHERE: Place = { kind: "none" };

export const indexOf = (place: Place): number | null => (place.kind === "none" ? null : place.index);

/** The layer that the place is at; of a block or a head, the one after the block. Null for all layers. */
export function layerOf(place: Place): number | null {
  switch (place.kind) {
    case "none":
    case "token":
      return null;
    case "layer":
      return place.layer;
    case "block":
    case "head":
      return place.block;
  }
}

export function placeAt(index: number | null, layer: number | null): Place {
  if (layer !== null) return { kind: "layer", index, layer };
  return index === null ? NOWHERE : { kind: "token", index };
}

/** The same layer, block or head at another token. */
export function atIndex(place: Place, index: number | null): Place {
  if (index === null) return placeAt(null, layerOf(place));
  return place.kind === "none" ? { kind: "token", index } : { ...place, index };
}

/** The place at another layer; of a block or a head the same of another block, which the embedding is not. */
export function atLayer(place: Place, layer: number): Place {
  if (place.kind === "block" || place.kind === "head") return { ...place, block: Math.max(1, layer) };
  return placeAt(indexOf(place), layer);
}

export const isSamePlace = (one: Place, other: Place): boolean =>
  JSON.stringify(placeWords(one)) === JSON.stringify(placeWords(other));

/** Names that the place has in the page's address: token, layer, block, head, second token. */
export const PLACE_NAMES = ["t", "l", "b", "h", "s"] as const;
type PlaceName = (typeof PLACE_NAMES)[number];

/** The place in the page's address, name by name. */
export function placeWords(place: Place): readonly (readonly [PlaceName, string])[] {
  const numbers: readonly (readonly [PlaceName, number | null])[] =
    place.kind === "none"
      ? []
      : [
          ["t", place.index],
          ["l", place.kind === "layer" ? place.layer : null],
          ["b", place.kind === "block" || place.kind === "head" ? place.block : null],
          ["h", place.kind === "head" ? place.head : null],
          ["s", place.kind === "head" ? place.second : null],
        ];
  return numbers.flatMap(([name, value]) => (value === null ? [] : [[name, `${value}`] as const]));
}

/** As much of the place as an address says so that it makes sense; the rest is passed over. */
export function readPlace(query: URLSearchParams): Place {
  const [index, , block, head, second] = PLACE_NAMES.map((name) => wholeNumber(query.get(name)));
  const layer = layerNumber(query.get("l"));
  if (index !== null && index !== undefined && block && layer === null) {
    if (head === null || head === undefined) return { kind: "block", index, block };
    return { kind: "head", index, block, head, second: second ?? null };
  }
  return placeAt(index ?? null, layer);
}

const layerNumber = (value: string | null): number | null =>
  value !== null && /^\d{1,6}(\.5)?$/.test(value) ? Number(value) : null;

/** A whole number of an address, of six digits at most; null for anything else. */
export const wholeNumber = (value: string | null): number | null =>
  value !== null && /^\d{1,6}$/.test(value) ? Number(value) : null;
