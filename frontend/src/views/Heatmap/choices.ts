import { RAMPS, type RampName } from "@/charts/colour/colour";
import { CELL_WIDTHS, DEFAULT_CELL_WIDTH, STRIDES, type Stride } from "@/charts/heatmap/geometry";
import { useChoices } from "@/features/choices/choices";
import { type ChoiceSpec, oneOf, onOff, orNull, wholeNumber } from "@/features/choices/choiceSpec";
import { ANSWERS, type Answer } from "./lensCells";
import { METRICS, type MetricId } from "./metrics";

export type SignedRampName = "diverging" | RampName;

export interface HeatmapLook {
  readonly metric: MetricId;
  readonly ramp: RampName;
  /** For metrics with a sign. */
  readonly signedRamp: SignedRampName;
  readonly cellWidth: number;
  /** Which top-1 predictions are highlighted. */
  readonly answer: Answer;
  /** Every how many layers one is shown. */
  readonly stride: Stride;
  /** The first position and the embedding set the scale as well. */
  readonly withExtremes: boolean;
  /** The scale goes up to the largest value that there can be. */
  readonly isFull: boolean;
  /** Rows are as low as it takes to show every layer; `auto` where there are many. */
  readonly fit: (typeof FITS)[number];
  /** The pinned token that is outlined; without effect while it is not pinned. */
  readonly outlinedToken: number | null;
  /** It is outlined where its rank is at most this. */
  readonly outlinedRank: number;
  readonly hasTable: boolean;
}

export const RAMP_NAMES = Object.keys(RAMPS).filter((name): name is RampName => name in RAMPS);
export const SIGNED_RAMP_NAMES: readonly SignedRampName[] = ["diverging", ...RAMP_NAMES];
export const OUTLINED_RANKS = [1, 5, 10, 50, 100] as const;

const FITS = ["auto", "on", "off"] as const;
/** Layers from which on rows fit the window unless that was chosen otherwise. */
const MANY_LAYERS = 17;

export const fitsRows = ({ fit }: HeatmapLook, nLayers: number): boolean =>
  fit === "on" || (fit === "auto" && nLayers >= MANY_LAYERS);

const SPEC: ChoiceSpec<HeatmapLook> = {
  metric: oneOf(
    METRICS.map(({ id }) => id),
    "top_probability",
  ),
  ramp: oneOf(RAMP_NAMES, "viridis"),
  signedRamp: oneOf(SIGNED_RAMP_NAMES, "diverging"),
  cellWidth: oneOf<number>(CELL_WIDTHS, DEFAULT_CELL_WIDTH),
  answer: oneOf(ANSWERS, "off"),
  stride: oneOf(STRIDES, 1),
  withExtremes: onOff(false),
  isFull: onOff(false),
  fit: oneOf(FITS, "auto"),
  outlinedToken: orNull(wholeNumber(0, 0, 999_999)),
  outlinedRank: oneOf<number>(OUTLINED_RANKS, 5),
  hasTable: onOff(false),
};

export const useHeatmapLook = () => useChoices("heatmap", SPEC);
