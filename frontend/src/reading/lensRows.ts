import { isHalf } from "@/model/layers";
import type { LayerReadout } from "@/model/timeline";

/** The layers that are shown of those that came with a token; null where half ones are wanted and did not come. */
export function lensRows(lens: readonly LayerReadout[], hasHalf: boolean): readonly LayerReadout[] | null {
  const whole = lens.filter(({ layer }) => !isHalf(layer));
  if (hasHalf) return whole.length < lens.length ? lens : null;
  return whole.length < lens.length ? whole : lens;
}
