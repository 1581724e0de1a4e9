/**
 * The layer from which a token is the top prediction and stays so up to the output; null where the
 * output itself ranks another token first. `ranks[layer]` is 1-based, layer 0 first.
 */
export function decisionLayer(ranks: readonly number[]): number | null {
  let layer = ranks.length;
  while (layer > 0 && ranks[layer - 1] === 1) layer -= 1;
  return layer === ranks.length ? null : layer;
}

/** Neighbouring layers with the same first choice. */
export interface LeaderRun {
  readonly id: number;
  /** The first and the last of these layers. */
  readonly from: number;
  readonly to: number;
}

/** Who leads from layer 1 up to, not including, layer `end`. `leaders[layer]` is a token id, layer 0 first. */
export function leaderRuns(leaders: readonly number[], end: number): LeaderRun[] {
  const runs: LeaderRun[] = [];
  for (let layer = 1; layer < Math.min(end, leaders.length); layer += 1) {
    const id = leaders[layer] ?? -1;
    const last = runs.at(-1);
    if (last?.id === id) runs[runs.length - 1] = { ...last, to: layer };
    else runs.push({ id, from: layer, to: layer });
  }
  return runs;
}
