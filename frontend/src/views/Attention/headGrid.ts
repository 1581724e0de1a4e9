/** The grid of blocks by heads: its rows, its scale and its keys. */
import { type Rows, headValue, largest } from "./heads";
import type { CellMeasure, Kind } from "./kinds";

export interface GridRow {
  /** From 1. */
  readonly block: number;
  /** By head; null for a block without attention. */
  readonly values: readonly number[] | null;
}

/** A cell, or with head −1 the name of its block. */
export interface GridPlace {
  readonly block: number;
  readonly head: number;
}

export const BLOCK_NAME = -1;

/** The last block at the top, as in every view; blocks without attention keep their place. */
export function gridRows(rows: Rows, measure: CellMeasure): GridRow[] {
  const heads = Array.from({ length: rows.n_heads }, (_, head) => head);
  const read = rows.blocks.map((block, row) => ({
    block,
    values: heads.map((head) => headValue(rows, row, head, measure)),
  }));
  const without = rows.without_pattern.map((block) => ({ block, values: null }));
  return [...read, ...without].sort((a, b) => b.block - a.block);
}

/** The value at full strength. Shares end at 1, so that colours compare across tokens. */
export function headScale(kind: Kind, lines: readonly GridRow[]): number {
  return kind === "weight" ? 1 : largest(lines.flatMap(({ values }) => values ?? [])) || 1;
}

/** Every how many heads a number stands above the grid. */
export const labelStride = (nHeads: number): number => (nHeads <= 16 ? 1 : nHeads <= 40 ? 4 : 8);

const PAGE = 5;

/** The place that a key leads to; null for keys that do not move. Blocks without attention are passed over. */
export function placeAfterKey(
  { key, ctrlKey }: { readonly key: string; readonly ctrlKey: boolean },
  { block, head }: GridPlace,
  lines: readonly GridRow[],
  nHeads: number,
): GridPlace | null {
  const blocks = lines.flatMap((line) => (line.values === null ? [] : [line.block]));
  const row = blocks.indexOf(block);
  const at = (nextRow: number, nextHead: number): GridPlace => ({
    block: blocks[Math.min(blocks.length - 1, Math.max(0, nextRow))] ?? block,
    head: Math.min(nHeads - 1, Math.max(BLOCK_NAME, nextHead)),
  });
  switch (key) {
    case "ArrowUp":
      return at(row - 1, head);
    case "ArrowDown":
      return at(row + 1, head);
    case "ArrowLeft":
      return at(row, head - 1);
    case "ArrowRight":
      return at(row, head + 1);
    case "PageUp":
      return at(row - PAGE, head);
    case "PageDown":
      return at(row + PAGE, head);
    case "Home":
      return at(ctrlKey ? 0 : row, 0);
    case "End":
      return at(ctrlKey ? blocks.length - 1 : row, nHeads - 1);
    default:
      return null;
  }
}
