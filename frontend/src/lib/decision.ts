/**
 * The layer from which a token is the top prediction and stays so up to the output; null where the
 * output itself ranks another token first. `ranks[layer]` is 1-based, layer 0 first.
 */
export function decisionLayer(ranks: readonly number[]): number | null {
  let layer = ranks.length;
  while (layer > 0 && ranks[layer - 1] === 1) layer -= 1;
  return layer === ranks.length ? null : layer;
}
