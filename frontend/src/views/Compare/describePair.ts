import { formatProbability } from "@/model/format";
import type { AlignedColumn } from "@/features/pair/alignment";
import type { Compared, Difference } from "./differences";
import { pairOf } from "./pairColumns";

export interface DescribedPair {
  readonly column: AlignedColumn;
  readonly row: number;
  readonly rowLabel: string;
  /** Cell forms of the tokens of each side, by index. */
  readonly textsA: readonly string[];
  readonly textsB: readonly string[];
  /** Cell form of any predicted token. */
  readonly textOf: (tokenId: number) => string;
  readonly difference: Difference;
}

/** A cell in one sentence, for screen readers and under the pointer. */
export function describePair(described: DescribedPair, compared: Compared): string {
  const { column, row, rowLabel, textsA, textsB, textOf, difference } = described;
  const sideOf = (name: string, index: number, texts: readonly string[]): string =>
    `${name} read at index ${index} “${texts[index] ?? ""}”`;
  const pair = pairOf(column);
  if (pair === null) {
    const there = column.a === null ? sideOf("B", column.b ?? 0, textsB) : sideOf("A", column.a, textsA);
    return `${there}, unaligned: nothing is compared`;
  }
  const places = `Layer ${rowLabel}, ${sideOf("A", pair.a, textsA)}, ${sideOf("B", pair.b, textsB)}`;
  const choices = compared.pairs.firstChoices(pair, row);
  if (choices === null) return `${places}: not read yet`;
  const { aId, bId } = choices;
  const first =
    aId === bId
      ? `both have the top-1 prediction “${textOf(aId)}”, A ${formatProbability(choices.aProbability)}, B ${formatProbability(choices.bProbability)}`
      : `top-1 predictions differ, A “${textOf(aId)}” ${formatProbability(choices.aProbability)}, B “${textOf(bId)}” ${formatProbability(choices.bProbability)}`;
  const value = difference.value(compared, pair, row);
  const measured = Number.isNaN(value) ? "" : `; ${difference.title} ${difference.format(value)}`;
  return `${places}: ${first}${measured}${difference.isSigned || measured === "" ? "" : " nats"}`;
}
