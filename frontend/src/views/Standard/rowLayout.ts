import clsx from "clsx";

/** Columns of a row: in a wide panel side by side, in a narrow one the predictions go below the numbers. */
export const ROW_GRID = clsx(
  "grid items-center gap-x-2 px-3",
  "grid-cols-[3.25rem_minmax(0,1fr)_3.5rem_4.25rem] [grid-template-areas:'layer_actual_entropy_kl'_'top_top_top_top']",
  "@min-[34rem]:grid-cols-[3.25rem_minmax(0,1fr)_5.75rem_3.25rem_4.25rem] @min-[34rem]:[grid-template-areas:'layer_top_actual_entropy_kl']",
);

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
