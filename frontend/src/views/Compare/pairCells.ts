/** The cells and heads of the difference grid: a pair of places and a row of two layers each. */
import type { CellSource } from "@/charts/heatmap/cellLooks";
import type { ColumnHeads, HeadLine } from "@/charts/heatmap/paint";
import type { Alignment } from "@/features/pair/alignment";
import type { Compared, Difference } from "./differences";
import { type Pair, pairOf } from "./pairColumns";

/** Names of texts: a token's own id, or both ids of two that differ. Ids are below 2²⁴. */
const ID_STEP = 2 ** 24;
const TWO = 2 ** 48;
const textIdOf = (a: number, b: number): number => (a === b ? a : TWO + a * ID_STEP + b);

/** The text that an id of `pairCells` names. */
export function pairText(textId: number, textOf: (tokenId: number) => string): string {
  if (textId < TWO) return textOf(textId);
  const both = textId - TWO;
  return `${textOf(Math.floor(both / ID_STEP))}≠${textOf(both % ID_STEP)}`;
}

interface PairCellsRequest {
  readonly alignment: Alignment;
  readonly compared: Compared;
  readonly difference: Difference;
  /** The row of a layer of A. */
  readonly rowOf: (layer: number) => number;
}

/**
 * The text is the first choice of both, or the two that they are; the corner marks those that differ.
 * A gap is no place that waits to be read: it has no value and no text.
 */
export function pairCells({ alignment, compared, difference, rowOf }: PairCellsRequest): CellSource {
  const pairs = alignment.columns.map(pairOf);
  const choicesOf = (position: number, layer: number) => {
    const pair = pairs[position] ?? null;
    return pair === null ? null : compared.pairs.firstChoices(pair, rowOf(layer));
  };
  return {
    nPositions: pairs.length,
    isRead: (position) => {
      const pair = pairs[position] ?? null;
      return pair === null || isCompared(compared, difference, pair);
    },
    value: (position, layer) => {
      const pair = pairs[position] ?? null;
      return pair === null ? Number.NaN : difference.value(compared, pair, rowOf(layer));
    },
    textId: (position, layer) => {
      const choices = choicesOf(position, layer);
      return choices === null ? -1 : textIdOf(choices.aId, choices.bId);
    },
    isAnswer: () => false,
    isMarked: (position, layer) => {
      const choices = choicesOf(position, layer);
      return choices !== null && choices.aId !== choices.bId;
    },
  };
}

/** Its divergences are read, and the chosen token's probabilities where they are what is shown. */
const isCompared = ({ pairs, target }: Compared, { id }: Difference, pair: Pair): boolean =>
  pairs.isRead(pair) && (id !== "target" || target?.isRead(pair) === true);

interface HeadTexts {
  readonly a: readonly string[];
  readonly b: readonly string[];
}

/** Columns narrower than this have room for one index only. */
const MIN_TWO_INDICES = 64;

/** Both tokens of a column, A above B. */
export function pairHeads({ columns }: Alignment, texts: HeadTexts, cellWidth: number): ColumnHeads {
  const line = (text: string | undefined, isDifferent: boolean): HeadLine => ({
    text: text ?? "",
    isQuiet: false,
    mark: text === undefined ? "gap" : isDifferent ? "different" : null,
  });
  return {
    names: ["index", "A reads", "B reads"],
    lines: (position) => {
      const { a, b, isSame } = columns[position] ?? { a: null, b: null, isSame: true };
      const isDifferent = !isSame && a !== null && b !== null;
      const index =
        a === b
          ? String(a)
          : cellWidth >= MIN_TWO_INDICES
            ? `${a ?? "–"} | ${b ?? "–"}`
            : // Without its letter it would be taken for an index of A, and the columns would seem out of order.
              String(a ?? `B${b}`);
      return [
        { text: index, isQuiet: true, mark: null },
        line(a === null ? undefined : texts.a[a], isDifferent),
        line(b === null ? undefined : texts.b[b], isDifferent),
      ];
    },
    number: (position) => columns[position]?.a ?? null,
  };
}

/** Largest size of a value in the rows that set the scale: the embedding's would often dwarf the rest. */
export function largestDifference(
  { columns }: Alignment,
  compared: Compared,
  difference: Difference,
  nRows: number,
): number {
  const first = nRows > 1 ? 1 : 0;
  let largest = 0;
  for (const column of columns) {
    const pair = pairOf(column);
    if (pair === null) continue;
    for (let row = first; row < nRows; row += 1) {
      const size = Math.abs(difference.value(compared, pair, row));
      if (size > largest) largest = size;
    }
  }
  return largest;
}

/** The next column, to the right and then from the start, whose first choices differ at a layer; null where none does. */
export function nextDifference(cells: CellSource, from: number, layer: number, step: 1 | -1): number | null {
  const count = cells.nPositions;
  for (let i = 1; i <= count; i += 1) {
    const position = (((from + step * i) % count) + count) % count;
    if (cells.isMarked(position, layer)) return position;
  }
  return null;
}
