export interface Rise {
  /** The upper of the two layers. */
  readonly layer: number;
  readonly from: number;
  readonly to: number;
}

/** The largest gain from a layer to the next; null where there is none. Layer 0 first. */
export function largestRise(probabilities: readonly number[]): Rise | null {
  let rise: Rise | null = null;
  probabilities.forEach((to, layer) => {
    const from = probabilities[layer - 1] ?? Number.NaN;
    if (to - from > (rise === null ? 0 : rise.to - rise.from)) rise = { layer, from, to };
  });
  return rise;
}
