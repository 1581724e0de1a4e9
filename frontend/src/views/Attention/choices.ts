import { useChoices } from "@/features/choices/choices";
import { type ChoiceSpec, oneOf, onOff } from "@/features/choices/choiceSpec";
import { DIRECTIONS } from "@/features/evidence/direction";
import type { AttentionResponse } from "@/types/schemas";
import { CELLS, type CellMeasure } from "./kinds";

export const FOILS = ["best", "mean", "none"] as const;

/** As in the other views, and the other way round: the tokens that read the selected one. */
export const READ_DIRECTIONS = [
  ...DIRECTIONS,
  { value: "readBy", label: "What reads it", hint: "Which tokens after it give it their attention" },
] as const;

type ReadDirection = (typeof READ_DIRECTIONS)[number]["value"];

export interface AttentionChoices {
  readonly direction: ReadDirection;
  /** What is drawn of each head and source. */
  readonly kind: AttentionResponse["kind"];
  /** What the colour of a head stands for; of `logit` it is the sum. */
  readonly cell: CellMeasure;
  /** With `logit`: what the target is compared with. */
  readonly foil: (typeof FOILS)[number];
  /** The first token sets the scale of the colours as well. */
  readonly sink: boolean;
  /** The text of the conversation is coloured by what is read. */
  readonly tint: boolean;
}

const SPEC: ChoiceSpec<AttentionChoices> = {
  direction: oneOf(["predictedBy", "predicts", "readBy"], "predictedBy"),
  kind: oneOf(["weight", "norm", "logit"], "weight"),
  cell: oneOf(CELLS, "outside"),
  foil: oneOf(FOILS, "best"),
  sink: onOff(false),
  tint: onOff(true),
};

export const useAttentionChoices = () => useChoices("attention", SPEC);
