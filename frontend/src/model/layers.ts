/** Layers by name and by key: layer 0 is after the embedding, layer `n` after block `n`. */

export const layerLabel = (layer: number): string => (layer === 0 ? "embed" : String(layer));

/** A layer in running text: `layer 0 (embedding)`, `layer 5`. */
export const layerName = (layer: number): string => (layer === 0 ? "layer 0 (embedding)" : `layer ${layer}`);

/** The same at the beginning of a sentence or as a name: `Layer 5`. */
export const layerTitle = (layer: number): string => `L${layerName(layer).slice(1)}`;

export const layerLabels = (count: number): string[] =>
  Array.from({ length: count }, (_, layer) => layerLabel(layer));

/** Layers in running text, ascending ones: `the embedding and layers 2–4 and 7`. */
export function layerList(layers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const layer of layers) {
    if (layer === 0) continue;
    const run = runs.at(-1);
    if (run?.[1] === layer - 1) run[1] = layer;
    else runs.push([layer, layer]);
  }
  const numbers = runs.map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
  const others = layers.filter((layer) => layer !== 0).length;
  const named = `${others === 1 ? "layer" : "layers"} ${
    numbers.length < 2 ? numbers.join() : `${numbers.slice(0, -1).join(", ")} and ${numbers.at(-1) ?? ""}`
  }`;
  return [...(layers.includes(0) ? ["the embedding"] : []), ...(others > 0 ? [named] : [])].join(" and ");
}

/** Layers that PageUp and PageDown pass over. */
const PAGE = 5;

/** The layer that a key leads to on a slider from 0 to `last`; null for other keys. */
export function layerAfterKey(key: string, layer: number, last: number): number | null {
  const within = (wanted: number): number => Math.min(last, Math.max(0, wanted));
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return within(layer + 1);
    case "ArrowLeft":
    case "ArrowDown":
      return within(layer - 1);
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
