/** How the columns of a heatmap on paper are laid out: in panels below each other, with words or without. */

export interface Panels {
  /** The cells hold words, and the heads are horizontal. */
  readonly hasText: boolean;
  /** Columns of each panel; the last may have fewer. */
  readonly perPanel: number;
  readonly nPanels: number;
  /** Where the cells begin. Lengths are in points. */
  readonly left: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  readonly headHeight: number;
}

interface PanelsRequest {
  readonly nColumns: number;
  readonly nRows: number;
  readonly width: number;
  /** Words are given up where the panels would be higher. */
  readonly maxHeight: number;
  /** Room for the labels of the rows, with words and without. */
  readonly left: { readonly text: number; readonly bare: number };
  /** The widest text of a cell or head. */
  readonly widestText: number;
  /** Room for the upright heads of narrow columns. */
  readonly turnedHeight: number;
  readonly gap: number;
}

/** Words are drawn while the panels together are not much taller than the figure is wide. */
const MAX_TEXT_HEIGHT = 1.5;
/** Panels are added, so that nothing is cut, while they are not much taller than the figure is wide. */
const MAX_UNCUT_HEIGHT = 1.15;
/** Room for seven characters. */
const TEXT_CELL = { min: 32, max: 72, height: 10.5, head: 27 } as const;
/** Just wide enough for a line of type above each column. */
const BARE_CELL = { min: 7.6, max: 16, height: 8 } as const;

export function panelsOf(request: PanelsRequest): Panels {
  const { nColumns, nRows, width, maxHeight, left, widestText, turnedHeight, gap } = request;
  const laidOut = (room: number, cell: { readonly min: number; readonly max: number }) => {
    const fewest = Math.max(1, Math.ceil(nColumns / Math.max(1, Math.floor(room / cell.min))));
    const perPanel = Math.max(1, Math.ceil(nColumns / fewest));
    return {
      nPanels: Math.ceil(nColumns / perPanel),
      perPanel,
      cellWidth: Math.min(cell.max, room / perPanel),
    };
  };
  const heightOf = (nPanels: number): number => nPanels * (TEXT_CELL.head + nRows * TEXT_CELL.height + gap);
  const room = width - left.text;
  let text = laidOut(room, TEXT_CELL);
  const wanted = Math.min(TEXT_CELL.max, widestText);
  while (text.cellWidth < wanted) {
    const next = laidOut(room, { min: room / Math.max(1, text.perPanel - 1), max: TEXT_CELL.max });
    if (
      next.nPanels <= text.nPanels ||
      heightOf(next.nPanels) > Math.min(maxHeight, MAX_UNCUT_HEIGHT * width)
    )
      break;
    text = next;
  }
  return heightOf(text.nPanels) <= Math.min(maxHeight, MAX_TEXT_HEIGHT * width)
    ? {
        ...text,
        hasText: true,
        left: left.text,
        cellHeight: TEXT_CELL.height,
        headHeight: TEXT_CELL.head,
      }
    : {
        ...laidOut(width - left.bare, BARE_CELL),
        hasText: false,
        left: left.bare,
        cellHeight: BARE_CELL.height,
        headHeight: turnedHeight,
      };
}
