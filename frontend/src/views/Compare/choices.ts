/** Everything that is chosen in this view besides the pair. */
import { useCallback } from "react";
import { CELL_WIDTHS } from "@/charts/heatmap/geometry";
import { useChoices } from "@/features/choices/choices";
import {
  type ChoiceSpec,
  layerNumber,
  oneOf,
  onOff,
  orNull,
  passing,
  wholeNumber,
} from "@/features/choices/choiceSpec";
import { DIFFERENCE_IDS, type DifferenceId } from "./differences";

const MAX_LAYER = 9_999;
const MAX_TOKEN_ID = 999_999;

/** `each`: the same layer on both sides; `fixed`: every layer of A with one of B; `one`: one layer of each. */
export const ROWS = ["each", "fixed", "one"] as const;
export type Rows = (typeof ROWS)[number];

export interface CompareChoices {
  /** Null leaves it to what is compared. */
  readonly rows: Rows | null;
  /** For `one`; null is the output, as below. */
  readonly layerA: number | null;
  /** For `fixed` and `one`. */
  readonly layerB: number | null;
  readonly difference: DifferenceId;
  /** The token whose probability is compared. */
  readonly tokenId: number | null;
  readonly hasTable: boolean;
}

const layer = passing(orNull(layerNumber(MAX_LAYER)));

const SPEC: ChoiceSpec<CompareChoices & { readonly cellWidth: number }> = {
  rows: passing(orNull(oneOf(ROWS, "each"))),
  layerA: layer,
  layerB: layer,
  difference: oneOf(DIFFERENCE_IDS, "js"),
  tokenId: passing(orNull(wholeNumber(0, 0, MAX_TOKEN_ID))),
  hasTable: onOff(false),
  cellWidth: oneOf<number>(CELL_WIDTHS, 92),
};

export interface CompareState {
  readonly choices: CompareChoices;
  readonly cellWidth: number;
  readonly change: (part: Partial<CompareChoices>) => void;
  readonly zoom: (cellWidth: number) => void;
}

/** Of one conversation. */
export function useCompareChoices(conversationId: string | null): CompareState {
  const [{ cellWidth, ...choices }, change] = useChoices("compare", SPEC, conversationId);
  const zoom = useCallback((width: number) => change({ cellWidth: width }), [change]);
  return { choices, cellWidth, change, zoom };
}
