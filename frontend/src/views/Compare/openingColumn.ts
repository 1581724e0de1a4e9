import type { Alignment } from "@/features/pair/alignment";
import type { Token } from "@/model/timeline";
import { type PairColumns, pairOf } from "./pairColumns";

interface OpeningParts {
  readonly alignment: Alignment;
  readonly pairs: PairColumns;
  /** The row of the output. */
  readonly row: number;
  readonly a: readonly Pick<Token, "role">[];
  readonly isRepeat: (textA: string, textB: string) => boolean;
}

/**
 * The column to begin with: the first whose top-1 predictions differ at the output, in the reply before
 * the prompt, and with an answer before a repetition of what was changed. -1 where none does.
 */
export function openingColumn({ alignment, pairs, row, a, isRepeat }: OpeningParts): number {
  let [repeated, asked] = [-1, -1];
  for (const [number, column] of alignment.columns.entries()) {
    const pair = pairOf(column);
    const choices = pair === null ? null : pairs.firstChoices(pair, row);
    if (pair === null || choices === null || choices.aId === choices.bId) continue;
    // What comes after the last token is generated as well.
    if ((a[pair.a + 1]?.role ?? "assistant") !== "assistant") {
      if (asked < 0) asked = number;
    } else if (!isRepeat(pairs.text(choices.aId), pairs.text(choices.bId))) return number;
    else if (repeated < 0) repeated = number;
  }
  return repeated < 0 ? asked : repeated;
}
