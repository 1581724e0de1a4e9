import type { LayerReading } from "@/reading/lens";
import type { Curve } from "./curveMetrics";

/**
 * The line of a token as the read-outs of a reply have it: that of the actual token in full, that of
 * another where it is among the top predictions. Null where it never is.
 */
export function streamedCurve(
  layers: readonly LayerReading[],
  token: { readonly id: number; readonly text: string | null },
  isActual: boolean,
): Curve | null {
  const readings = layers.map(({ predictions, actual }) =>
    isActual ? actual : (predictions.find(({ token_id }) => token_id === token.id) ?? null),
  );
  const nKnown = readings.filter((reading) => reading !== null).length;
  if (nKnown === 0) return null;
  return {
    tokenId: token.id,
    text: token.text ?? "",
    layers: layers.map(({ layer }) => layer),
    probability: readings.map((reading) => reading?.probability ?? Number.NaN),
    rank: readings.map((reading) => reading?.rank ?? Number.NaN),
    ...(nKnown < layers.length ? { isPartial: true as const } : {}),
  };
}
