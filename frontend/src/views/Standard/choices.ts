import { useChoices } from "@/features/choices/choices";
import { type ChoiceSpec, wholeNumber } from "@/features/choices/choiceSpec";
import { type Direction, direction } from "@/features/evidence/direction";

export const MAX_TOP_K = 50;

interface StandardChoices {
  readonly direction: Direction;
  /** How many predictions are shown per layer. */
  readonly topK: number;
}

const SPEC: ChoiceSpec<StandardChoices> = { direction, topK: wholeNumber(5, 1, MAX_TOP_K) };

export const useStandardChoices = () => useChoices("standard", SPEC);
