import { useCallback, useState } from "react";
import { ANSWERS, type Answer } from "@/components/heatmap/lensCells";
import { CELL_WIDTHS, DEFAULT_CELL_WIDTH, STRIDES, type Stride } from "@/components/heatmap/geometry";
import { RAMPS, type RampName } from "@/lib/colour";
import { METRICS, type MetricId } from "@/lib/metrics";
import { readStored, writeStored } from "@/lib/stored";

export type SignedRampName = "diverging" | RampName;

export interface HeatmapLook {
  readonly metric: MetricId;
  readonly ramp: RampName;
  /** For metrics with a sign. */
  readonly signedRamp: SignedRampName;
  readonly cellWidth: number;
  /** What takes the second hue. */
  readonly answer: Answer;
  /** Every how many layers one is shown. */
  readonly stride: Stride;
  /** The first token and the embedding set the scale as well. */
  readonly withExtremes: boolean;
  /** The pinned token that is outlined; without effect while it is not pinned. */
  readonly outlinedToken: number | null;
  /** It is outlined where its rank is at most this. */
  readonly outlinedRank: number;
  readonly hasTable: boolean;
}

const STORED_AS = "heatmap";
const DEFAULT_LOOK: HeatmapLook = {
  metric: "top_probability",
  ramp: "viridis",
  signedRamp: "diverging",
  cellWidth: DEFAULT_CELL_WIDTH,
  answer: "off",
  stride: 1,
  withExtremes: false,
  outlinedToken: null,
  outlinedRank: 5,
  hasTable: false,
};

export const RAMP_NAMES = Object.keys(RAMPS).filter((name): name is RampName => name in RAMPS);
export const SIGNED_RAMP_NAMES: readonly SignedRampName[] = ["diverging", ...RAMP_NAMES];
export const OUTLINED_RANKS = [1, 5, 10, 50, 100] as const;

/** What is stored, as far as it still fits. */
export function parseLook(stored: unknown): HeatmapLook | undefined {
  if (typeof stored !== "object" || stored === null) return undefined;
  const values = new Map<string, unknown>(Object.entries(stored));
  const oneOf = <T>(choices: readonly T[], key: keyof HeatmapLook, fallback: T): T =>
    choices.find((choice) => choice === values.get(key)) ?? fallback;
  const token = values.get("outlinedToken");
  return {
    metric: METRICS.find(({ id }) => id === values.get("metric"))?.id ?? DEFAULT_LOOK.metric,
    ramp: oneOf(RAMP_NAMES, "ramp", DEFAULT_LOOK.ramp),
    signedRamp: oneOf(SIGNED_RAMP_NAMES, "signedRamp", DEFAULT_LOOK.signedRamp),
    cellWidth: oneOf<number>(CELL_WIDTHS, "cellWidth", DEFAULT_LOOK.cellWidth),
    answer: oneOf(ANSWERS, "answer", DEFAULT_LOOK.answer),
    stride: oneOf(STRIDES, "stride", DEFAULT_LOOK.stride),
    withExtremes: values.get("withExtremes") === true,
    outlinedToken: typeof token === "number" && Number.isSafeInteger(token) && token >= 0 ? token : null,
    outlinedRank: oneOf<number>(OUTLINED_RANKS, "outlinedRank", DEFAULT_LOOK.outlinedRank),
    hasTable: values.get("hasTable") === true,
  };
}

/** How the heatmap is drawn, remembered in this browser. */
export function useHeatmapLook(): [HeatmapLook, (change: Partial<HeatmapLook>) => void] {
  const [look, setLook] = useState(() => readStored(STORED_AS, parseLook, DEFAULT_LOOK));
  const change = useCallback((part: Partial<HeatmapLook>) => {
    setLook((before) => {
      const next = { ...before, ...part };
      writeStored(STORED_AS, next);
      return next;
    });
  }, []);
  return [look, change];
}
