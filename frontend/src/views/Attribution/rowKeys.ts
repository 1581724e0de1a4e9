/** The keys of a treegrid: up and down go from row to row, right opens or goes in, left closes or goes out. */
import { type PartRow, canOpen } from "./parts";

export type RowAction =
  | { readonly kind: "go"; readonly row: PartRow }
  | { readonly kind: "open"; readonly isOpen: boolean }
  | { readonly kind: "press" };

/** What a key does at `row`; null for one that is not of the grid. */
export function rowAfterKey(
  key: string,
  row: PartRow,
  rows: readonly PartRow[],
  open: ReadonlySet<string>,
): RowAction | null {
  const i = rows.findIndex(({ id }) => id === row.id);
  const go = (to: PartRow | undefined): RowAction => ({ kind: "go", row: to ?? row });
  const isOpen = open.has(row.id);
  switch (key) {
    case "ArrowDown":
      return go(rows[i + 1]);
    case "ArrowUp":
      return go(rows[i - 1]);
    case "Home":
      return go(rows[0]);
    case "End":
      return go(rows.at(-1));
    case "ArrowRight": {
      if (canOpen(row) && !isOpen) return { kind: "open", isOpen: true };
      const next = rows[i + 1];
      return go(next !== undefined && next.level > row.level ? next : row);
    }
    case "ArrowLeft":
      if (isOpen) return { kind: "open", isOpen: false };
      return go(rows.slice(0, i).findLast(({ level }) => level < row.level));
    case "Enter":
    case " ":
      return { kind: "press" };
    default:
      return null;
  }
}
