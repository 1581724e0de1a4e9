import type { Pin, PinnedToken } from "@/features/pins/pins";
import type { Token } from "@/model/timeline";
import { cellTextOfText, losslessTextOf } from "@/model/tokens";
import { type Curve, sumOf } from "./curveMetrics";

export interface ShownPosition {
  /** 0 for the selected position. */
  readonly slot: number;
  readonly position: number;
}

/** Decides colour and mark. `actual` is the line of the actual token, where no pin has it. */
export type LineSlot = number | "actual";

/** One line of the chart: a token, or a sum of tokens, at one position. */
export interface Series {
  readonly key: string;
  readonly slot: LineSlot;
  /** With their texts, as far as they are known. */
  readonly tokens: readonly PinnedToken[];
  readonly place: ShownPosition;
  /** Null until it is read. */
  readonly curve: Curve | null;
  /** Its one token is the one that stands in the text after the place. */
  readonly isActual: boolean;
  /** Of the pair, where it is not A. */
  readonly side?: "B";
}

type CurveOf = (tokenId: number, position: number) => Curve | null;

/** Every pin at every position, the positions of a pin together. */
export function seriesOf(
  pins: readonly Pin[],
  positions: readonly ShownPosition[],
  timeline: readonly Token[],
  curveOf: CurveOf,
): Series[] {
  return pins.flatMap((pin) =>
    positions.map((place) => {
      const curves = pin.tokens.map((token) => curveOf(token.id, place.position));
      const tokens = pin.tokens.map(({ id, text }, i) => ({ id, text: text ?? curves[i]?.text ?? null }));
      return {
        key: `${pin.tokens.map((token) => token.id).join("-")}@${place.position}`,
        slot: pin.slot,
        tokens,
        place,
        curve: sumOf(curves),
        isActual: tokens.length === 1 && tokens[0]?.id === timeline[place.position + 1]?.id,
      };
    }),
  );
}

/** The line of the actual token at the selected position. */
export const actualSeries = (actual: Token, place: ShownPosition, curveOf: CurveOf): Series => ({
  key: `actual@${place.position}`,
  slot: "actual",
  tokens: [{ id: actual.id, text: losslessTextOf(actual) }],
  place,
  curve: curveOf(actual.id, place.position),
  isActual: true,
});

export const tokenName = ({ id, text }: PinnedToken): string =>
  text === null ? `id ${id}` : cellTextOfText(text);

/** A line in words: `·Paris`, `sum of ·Paris and Paris`. */
export function lineName(tokens: readonly PinnedToken[]): string {
  const names = tokens.map(tokenName);
  return names.length === 1
    ? (names[0] ?? "")
    : `sum of ${names.slice(0, -1).join(", ")} and ${names.at(-1) ?? ""}`;
}

/** A line in a few characters, for a label in the chart. */
export function lineLabel(tokens: readonly PinnedToken[]): string {
  const characters = Array.from(tokens.map(tokenName).join("+"));
  const label = characters.length > 9 ? `${characters.slice(0, 8).join("")}…` : characters.join("");
  return tokens.length === 1 ? label : `Σ ${label}`;
}
