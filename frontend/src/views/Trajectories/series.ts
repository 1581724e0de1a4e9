import type { Pin, PinnedToken } from "@/lib/pins";
import { cellTextOfText } from "@/lib/tokens";
import { type Curve, sumOf } from "@/lib/trajectories";

export interface ShownPosition {
  /** 0 for the selected position. */
  readonly slot: number;
  readonly position: number;
}

/** One line of the chart: a token, or a sum of tokens, at one position. */
export interface Series {
  readonly key: string;
  readonly pin: Pin;
  /** The pin's tokens with their texts, as far as they are known. */
  readonly tokens: readonly PinnedToken[];
  readonly place: ShownPosition;
  /** Null until it is read. */
  readonly curve: Curve | null;
}

/** Every pin at every position, the positions of a pin together. */
export function seriesOf(
  pins: readonly Pin[],
  positions: readonly ShownPosition[],
  curveOf: (tokenId: number, position: number) => Curve | null,
): Series[] {
  return pins.flatMap((pin) =>
    positions.map((place) => {
      const curves = pin.tokens.map((token) => curveOf(token.id, place.position));
      return {
        key: `${pin.tokens.map((token) => token.id).join("-")}@${place.position}`,
        pin,
        tokens: pin.tokens.map((token, i) => ({ id: token.id, text: token.text ?? curves[i]?.text ?? null })),
        place,
        curve: sumOf(curves),
      };
    }),
  );
}

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
