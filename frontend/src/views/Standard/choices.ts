import { useChoices } from "@/features/choices/choices";
import { type ChoiceSpec, oneOf, onOff, wholeNumber } from "@/features/choices/choiceSpec";
import { type Direction, direction } from "@/features/evidence/direction";

export const MAX_TOP_K = 50;

export type ShownOfLayer = "predictions" | "writes";

interface StandardChoices {
  readonly direction: Direction;
  /** How many predictions are shown per layer. */
  readonly topK: number;
  /** The rows share the height of the view, so that as many as possible are seen at once. */
  readonly fit: boolean;
  /** The selected layer is shown in full below the rows. */
  readonly details: boolean;
  /** What of it. */
  readonly shown: ShownOfLayer;
}

const SPEC: ChoiceSpec<StandardChoices> = {
  direction,
  topK: wholeNumber(5, 1, MAX_TOP_K),
  fit: onOff(true),
  details: onOff(true),
  shown: oneOf(["predictions", "writes"], "predictions"),
};

export const useStandardChoices = () => useChoices("standard", SPEC);
