import clsx from "clsx";

/**
 * Columns of a row, whose cells are no higher than it is. A narrow panel has no room for entropy and divergence: they are in
 * the layer's detail.
 */
const ROW_BASE = "grid grid-rows-[minmax(0,1fr)] items-center gap-x-2 px-3";
const AREAS =
  "[grid-template-areas:'layer_top_actual'] @min-[34rem]:[grid-template-areas:'layer_top_actual_entropy_kl']";

/** The token over its probability, in each cell. */
const TWO_LINES = clsx(
  ROW_BASE,
  AREAS,
  "grid-cols-[2.75rem_minmax(0,1fr)_4.5rem] @min-[34rem]:grid-cols-[2.75rem_minmax(0,1fr)_5.5rem_3.25rem_3.75rem]",
);

/** The token and its probability beside each other. */
const ONE_LINE = clsx(
  ROW_BASE,
  AREAS,
  "grid-cols-[2.75rem_minmax(0,1fr)_4.5rem] @min-[34rem]:grid-cols-[2.75rem_minmax(0,1fr)_7.75rem_2.75rem_2.75rem]",
);

export const rowGrid = ({ isOneLine }: RowLayout): string => (isOneLine ? ONE_LINE : TWO_LINES);

/** What of a cell or its head is left out in a narrow panel. */
export const WIDE_ONLY = "@max-[34rem]:hidden";

/** rem: the panel from which it is wide, and all of its width that is no prediction. */
const WIDE_FROM = 34;
const GAPS = { narrow: 1 + 1.5, wide: 2 + 1.5 } as const;
const LAYER = 2.75;
const ACTUAL = { narrow: 4.5, twoLines: 5.5, oneLine: 7.75 } as const;
const NUMBERS = { twoLines: 3.25 + 3.75, oneLine: 2 * 2.75 } as const;
/** rem of a chip: its padding, the gap after it, one letter, and a probability beside the token. */
const CHIP = { padding: 0.5, gap: 0.25, letter: 0.45, probability: 0.25 + 6 * 0.4125 } as const;
/** Letters of the narrowest chip, the first where that leaves room for enough chips. */
const LETTERS = { wanted: 10, least: 9 } as const;
const ENOUGH_CHIPS = 3;
/** Predictions that have a line of their own where there is room. */
const FULL_LINE = 5;

/** rem: the height of a row that need not share the window, and the least that holds two lines of text. */
const FULL_ROW = 1.9375;
const TWO_LINE_ROW = 1.875;
/** px: lower rows have no text, and none is lower than the least. */
const TEXT_ROW = 15;
const LEAST_ROW = 12;
/** rem: what a finger can press. */
const TOUCH_ROW = 2.75;

export interface Room {
  /** px of the panel. */
  readonly width: number;
  /** px for all rows together; null where they need not fit. */
  readonly height: number | null;
  /** px of one rem. */
  readonly rem: number;
  readonly isCoarse: boolean;
}

export interface RowLayout {
  /** px; every row has it, whatever it holds. */
  readonly rowHeight: number;
  /** Token and probability are beside each other, not one over the other. */
  readonly isOneLine: boolean;
  readonly hasText: boolean;
  /** Chips beside each other. */
  readonly columns: number;
  /** Lines of chips; more than one only where more predictions were asked for than a line has. */
  readonly lines: number;
  /** Letters that each chip has room for. */
  readonly letters: number;
}

/** Rows that fit the window where they can, each with as many chips of `topK` as there is room for. */
export function rowLayout({ width, height, rem, isCoarse }: Room, nRows: number, topK: number): RowLayout {
  const full = rem * (isCoarse ? TOUCH_ROW : FULL_ROW);
  const hasMore = topK > FULL_LINE;
  const fitting = height === null || hasMore ? full : Math.floor(height / Math.max(1, nRows));
  const lineHeight = isCoarse ? full : Math.min(full, Math.max(LEAST_ROW, fitting));
  const isOneLine = lineHeight < rem * TWO_LINE_ROW;

  const panel = width / rem;
  const isNarrow = panel < WIDE_FROM;
  const form = isOneLine ? "oneLine" : "twoLines";
  const taken = LAYER + (isNarrow ? ACTUAL.narrow + GAPS.narrow : ACTUAL[form] + NUMBERS[form] + GAPS.wide);
  const room = panel - taken + CHIP.gap;
  const fixed = CHIP.padding + CHIP.gap + (isOneLine ? CHIP.probability : 0);
  const chipsOf = (letters: number): number => Math.floor(room / (fixed + letters * CHIP.letter));
  const most = Math.max(Math.min(ENOUGH_CHIPS, chipsOf(LETTERS.least)), chipsOf(LETTERS.wanted));
  const columns = Math.max(1, Math.min(topK, FULL_LINE, most));
  const letters = Math.floor((room / columns - fixed) / CHIP.letter);
  const lines = hasMore ? Math.ceil(topK / columns) : 1;
  return {
    rowHeight: lines * lineHeight,
    isOneLine,
    hasText: lineHeight >= TEXT_ROW,
    columns,
    lines,
    letters: Math.max(LETTERS.least, letters),
  };
}

/**
 * Roles that table elements have anyway, spelled out because Safari forgets them for elements that
 * are laid out as grids or blocks. Spread, since the linter takes them for redundant.
 */
export const ROLES = {
  table: { role: "table" },
  rowGroup: { role: "rowgroup" },
  row: { role: "row" },
  columnHeader: { role: "columnheader" },
  rowHeader: { role: "rowheader" },
  cell: { role: "cell" },
} as const;
