import { useChoices } from "@/features/choices/choices";
import { type ChoiceSpec, oneOf, onOff } from "@/features/choices/choiceSpec";
import { type Direction, direction } from "@/features/evidence/direction";
import { CELLS, type CellMeasure, type Kind } from "./kinds";

export const FOILS = ["best", "mean", "none"] as const;

export interface AttentionChoices {
  readonly direction: Direction;
  /** What is drawn of each head and source. */
  readonly kind: Kind;
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
  direction,
  kind: oneOf(["weight", "norm", "logit"], "weight"),
  cell: oneOf(CELLS, "outside"),
  foil: oneOf(FOILS, "best"),
  sink: onOff(false),
  tint: onOff(true),
};

export const useAttentionChoices = () => useChoices("attention", SPEC);
