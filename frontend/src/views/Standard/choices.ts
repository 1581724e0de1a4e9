import { type Direction, direction } from "@/components/lens/direction";
import { useChoices } from "@/context/choices";
import { type ChoiceSpec, wholeNumber } from "@/lib/choices";

export const MAX_TOP_K = 50;

interface StandardChoices {
  readonly direction: Direction;
  /** How many predictions are shown per layer. */
  readonly topK: number;
}

const SPEC: ChoiceSpec<StandardChoices> = { direction, topK: wholeNumber(5, 1, MAX_TOP_K) };

export const useStandardChoices = () => useChoices("standard", SPEC);
