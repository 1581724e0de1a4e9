/**
 * How a line looks: colour and mark tell the token, the dash tells the position. What is in ink is the
 * actual token: a line of its own, or the outline of the line of a pin.
 */
import type { Paint } from "@/charts/figure/palette";
import type { LineSlot, Series } from "./series";

export interface LineLook {
  /** Drawn one over the other. */
  readonly strokes: readonly { readonly paint: Paint; readonly width: number }[];
  readonly dash: string | undefined;
  /** An outline about 7 px across around (0, 0). */
  readonly mark: {
    readonly outline: string;
    readonly stroke: Paint;
    readonly fill: Paint;
    readonly width: number;
  };
}

/** As many as there are tokens to be pinned. */
export const PIN_PAINTS = [
  "series-1",
  "series-2",
  "series-3",
  "series-4",
  "series-5",
  "series-6",
  "series-7",
  "series-8",
] as const satisfies readonly Paint[];

export const ACTUAL_PAINT = "text";

/** One per slot of a pinned position; slot 0, solid, is the selected one. */
const DASHES = [null, "6 3", "2 3", "9 3 2 3", "12 4", "4 2 1 2 1 2"] as const;

/** Of B, which is read at one position only. */
const DASH_OF_B = "4 4";

export const lineDash = (slot: number): string | undefined => DASHES[slot % DASHES.length] ?? undefined;

/** As many as there are colours. */
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

/** A ring, larger than the disc of the first pin, and empty. */
const RING = "M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0 -7.2 0z";

const paintOf = (slot: LineSlot): Paint =>
  slot === "actual" ? ACTUAL_PAINT : (PIN_PAINTS[slot % PIN_PAINTS.length] ?? PIN_PAINTS[0]);

export function lookOf({
  slot,
  place,
  isActual,
  side,
}: Pick<Series, "slot" | "place" | "isActual" | "side">): LineLook {
  const paint = paintOf(slot);
  const dash = side === "B" ? DASH_OF_B : lineDash(place.slot);
  if (slot === "actual") {
    const mark = { outline: RING, stroke: paint, fill: "surface-raised", width: 1.6 } as const;
    return { strokes: [{ paint, width: 3 }], dash, mark };
  }
  const width = place.slot === 0 ? 2 : 1.5;
  return {
    strokes: [...(isActual ? [{ paint: ACTUAL_PAINT, width: width + 2 } as const] : []), { paint, width }],
    dash,
    mark: { outline: MARKS[slot % MARKS.length] ?? MARKS[0], stroke: paint, fill: paint, width: 1.2 },
  };
}
