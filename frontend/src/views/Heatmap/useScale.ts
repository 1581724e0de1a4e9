import { useMemo } from "react";
import type { Scale } from "@/charts/colour/colour";
import { roundUp } from "@/charts/colour/colour";
import type { LensColumns } from "@/reading/columns";
import { type Metric, largestValue } from "./metrics";

interface ScaleRequest {
  readonly metric: Metric;
  readonly columns: LensColumns | null;
  readonly version: number;
  readonly nPositions: number;
  readonly vocabularySize: number;
  /** The first position and the embedding set the scale as well. */
  readonly withExtremes: boolean;
  /** The scale goes up to the largest value that there can be. */
  readonly isFull: boolean;
}

interface FittedScale {
  readonly scale: Scale;
  /** The first token or the embedding has values beyond the scale, or would if they did not set it. */
  readonly hasExtremes: boolean;
}

/**
 * The scale of a metric over what was read. The first position attends to nothing but itself, and the
 * embedding is no prediction yet; their values can dwarf all others, so they are left out unless asked for.
 */
export function useScale(request: ScaleRequest): FittedScale {
  const { metric, columns, version, nPositions, vocabularySize, withExtremes, isFull } = request;
  const largest = useMemo(() => {
    if (columns === null || metric.fittedFrom === null) return { rest: 0, all: 0, version };
    const rest = largestValue(metric, columns, nPositions, metric.fittedFrom);
    return { rest, all: largestValue(metric, columns, nPositions, { position: 0, layer: 0 }), version };
  }, [metric, columns, nPositions, version]);
  const used = withExtremes ? largest.all : largest.rest;
  return {
    scale: useMemo(
      () => metric.scale({ vocabularySize, largest: used, isFull }),
      [metric, vocabularySize, used, isFull],
    ),
    hasExtremes: metric.fittedFrom !== null && roundUp(largest.all) > roundUp(largest.rest),
  };
}
