import { MIN_HEAD_WIDTH, MIN_TEXT_WIDTH } from "@/charts/heatmap/geometry";

interface Captioned {
  readonly cellWidth: number;
  readonly hasGaps: boolean;
  /** Some pairs are not read. */
  readonly hasUnread: boolean;
}

/** What the marks of the grid mean, those that it has as it is drawn now. */
export function gridCaption({ cellWidth, hasGaps, hasUnread }: Captioned): string {
  const heads =
    cellWidth >= MIN_HEAD_WIDTH
      ? [
          "A token that is not the other’s has a bar under it.",
          hasGaps && "In a gap the missing token’s line is hatched and the cells are empty.",
        ]
      : [
          `A bar above a column says that its tokens differ${hasGaps ? " or that one is missing, a gap: its cells are empty" : ""}.`,
        ];
  return [
    ...heads,
    cellWidth >= MIN_TEXT_WIDTH && "◥ marks first choices that differ: A’s ≠ B’s.",
    hasUnread && "Columns with hatched cells are not read yet.",
  ]
    .filter((sentence) => sentence !== false)
    .join(" ");
}
