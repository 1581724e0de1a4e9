/** How a line looks: colour and mark tell the token, the dash tells the position. */

/** Colours are variables of the style sheet, so that they follow the theme. */
export const lineColour = (slot: number): string => `var(--series-${slot + 1})`;

/** One per slot of a pinned position; slot 0, solid, is the selected one. */
const DASHES = [null, "6 3", "2 3", "9 3 2 3", "12 4", "4 2 1 2 1 2"] as const;

export const lineDash = (slot: number): string | undefined => DASHES[slot % DASHES.length] ?? undefined;

/** Outlines about 7 px across around (0, 0), as many as there are colours. */
const MARKS = [
  "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z",
  "M-2.6-2.6h5.2v5.2h-5.2z",
  "M0-3.6L3.4 2.4H-3.4z",
  "M0-3.8L3.8 0L0 3.8L-3.8 0z",
  "M0 3.6L3.4-2.4H-3.4z",
  "M-3-3L3 3M-3 3L3-3",
  "M0-3.6V3.6M-3.6 0H3.6",
  "M-3.6-2h7.2v4h-7.2z",
] as const;

export const lineMark = (slot: number): string => MARKS[slot % MARKS.length] ?? MARKS[0];
