import clsx from "clsx";

/** Columns of a row. A narrow panel has no room for entropy and divergence: they are in the layer's detail. */
export const ROW_GRID = clsx(
  "grid items-center gap-x-2 px-3",
  "grid-cols-[2.75rem_minmax(0,1fr)_4rem] [grid-template-areas:'layer_top_actual']",
  "@min-[34rem]:grid-cols-[2.75rem_minmax(0,1fr)_5.5rem_3.25rem_4.25rem] @min-[34rem]:[grid-template-areas:'layer_top_actual_entropy_kl']",
);

/** What of a cell or its head is left out in a narrow panel. */
export const WIDE_ONLY = "@max-[34rem]:hidden";

/** px of `ROW_GRID`: the panel from which it is wide, and all that is no prediction. */
const WIDE_FROM = 544;
const TAKEN = { narrow: 44 + 64 + 2 * 8 + 24, wide: 44 + 88 + 52 + 68 + 4 * 8 + 24 } as const;
/** px of a chip: its padding, the gap after it, and one letter of its monospaced text. */
const CHIP = { padding: 8, gap: 4, letter: 6.6 } as const;
/** A chip that shows less of its token tells too little. */
const MIN_LETTERS = 9;

export interface ChipLayout {
  /** Chips beside each other. */
  readonly columns: number;
  /** Letters that each of them has room for. */
  readonly letters: number;
}

/** As many chips of `topK` as fit in a panel of this width. */
export function chipLayout(panelWidth: number, topK: number): ChipLayout {
  const room = panelWidth - (panelWidth < WIDE_FROM ? TAKEN.narrow : TAKEN.wide) + CHIP.gap;
  const least = CHIP.padding + MIN_LETTERS * CHIP.letter + CHIP.gap;
  const columns = Math.max(1, Math.min(topK, 5, Math.floor(room / least)));
  const letters = Math.floor((room / columns - CHIP.gap - CHIP.padding) / CHIP.letter);
  return { columns, letters: Math.max(MIN_LETTERS, letters) };
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
