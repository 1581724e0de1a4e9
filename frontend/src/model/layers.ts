/**
 * Layers by name and by key: layer 0 is after the embedding, layer `n` after block `n`, and half layer
 * `n - 0.5` inside block `n`, after attention and before the MLP.
 */

export const isHalf = (layer: number): boolean => !Number.isInteger(layer);

/** `embed`, `5`, `6½`. */
export const layerLabel = (layer: number): string => (layer === 0 ? "embed" : layerNumber(layer));

/** `0`, `5`, `6½`. */
export const layerNumber = (layer: number): string =>
  isHalf(layer) ? `${layer < 1 ? "" : Math.floor(layer)}½` : String(layer);

/** A layer in running text: `layer 0 (embedding)`, `layer 5`, `layer 6½ (after attention)`. */
export function layerName(layer: number): string {
  if (layer === 0) return "layer 0 (embedding)";
  return `layer ${layerNumber(layer)}${isHalf(layer) ? " (after attention)" : ""}`;
}

/** What lies between neighbouring layers that are shown. */
export const layerStep = (hasHalf: boolean): number => (hasHalf ? 0.5 : 1);

/** All layers up to the last one, the embedding first. */
export const everyLayer = (last: number, hasHalf: boolean): number[] =>
  Array.from({ length: last / layerStep(hasHalf) + 1 }, (_, row) => row * layerStep(hasHalf));

/** The same at the beginning of a sentence or as a name: `Layer 5`. */
export const layerTitle = (layer: number): string => `L${layerName(layer).slice(1)}`;

/** The layer itself or, where it has no row, the next one that has; the last where none is chosen. */
export const shownLayer = (layers: readonly number[], layer: number | null): number =>
  layers.find((each) => layer !== null && each >= layer) ?? layers.at(-1) ?? 0;

/** Labels by layer. */
export type LayerLabels = Readonly<Record<number, string>>;

export const layerLabelsOf = (layers: readonly number[]): LayerLabels =>
  Object.fromEntries(layers.map((layer) => [layer, layerLabel(layer)]));

/** Layers in running text, ascending ones: `layer 0 (embedding) and layers 2–4 and 7`. */
export function layerList(layers: readonly number[]): string {
  const step = layerStep(layers.some(isHalf));
  const runs: [number, number][] = [];
  for (const layer of layers) {
    if (layer === 0) continue;
    const run = runs.at(-1);
    if (run?.[1] === layer - step) run[1] = layer;
    else runs.push([layer, layer]);
  }
  const numbers = runs.map(([first, last]) =>
    first === last ? layerNumber(first) : `${layerNumber(first)}–${layerNumber(last)}`,
  );
  const others = layers.filter((layer) => layer !== 0).length;
  const named = `${others === 1 ? "layer" : "layers"} ${
    numbers.length < 2 ? numbers.join() : `${numbers.slice(0, -1).join(", ")} and ${numbers.at(-1) ?? ""}`
  }`;
  return [...(layers.includes(0) ? ["layer 0 (embedding)"] : []), ...(others > 0 ? [named] : [])].join(
    " and ",
  );
}

/** Layers that PageUp and PageDown pass over. */
const PAGE = 5;

/** The layer that a key leads to on a slider from 0 to `last`; null for other keys. */
export function layerAfterKey(key: string, layer: number, last: number, step = 1): number | null {
  const within = (wanted: number): number => Math.min(last, Math.max(0, wanted));
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return within(layer + step);
    case "ArrowLeft":
    case "ArrowDown":
      return within(layer - step);
    case "PageUp":
      return within(layer + PAGE);
    case "PageDown":
      return within(layer - PAGE);
    case "Home":
      return 0;
    case "End":
      return last;
    default:
      return null;
  }
}
