import { MIN_HEAD_WIDTH, MIN_TEXT_WIDTH } from "@/charts/heatmap/geometry";

interface Captioned {
  readonly cellWidth: number;
  readonly hasGaps: boolean;
  /** Some pairs are not read. */
  readonly hasUnread: boolean;
}

/** The legend of the marks that the grid has as it is drawn now. */
export function gridCaption({ cellWidth, hasGaps, hasUnread }: Captioned): string {
  const heads =
    cellWidth >= MIN_HEAD_WIDTH
      ? [
          "Tokens that differ have a bar under them.",
          hasGaps && "Beside an unaligned token the other line is hatched and the cells are empty.",
        ]
      : [
          `A bar above a column: its tokens differ${hasGaps ? ", or one is unaligned and the cells are empty" : ""}.`,
        ];
  return [
    ...heads,
    cellWidth >= MIN_TEXT_WIDTH && "◥ marks top-1 predictions that differ: A’s ≠ B’s.",
    hasUnread && "Columns with hatched cells are not read yet.",
  ]
    .filter((sentence) => sentence !== false)
    .join(" ");
}
