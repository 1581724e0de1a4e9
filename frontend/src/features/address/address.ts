/**
 * What the page's address says: which conversation, view, lens and place, what is pinned, and what is
 * chosen inside the view. Never any text.
 */
import { type ChoiceTexts, isChoiceText } from "@/features/choices/choiceSpec";
import { MAX_PINNED_POSITIONS, MAX_PINNED_TOKENS } from "@/features/pins/pins";
import { type LensKind, isLensKind } from "@/model/lenses";
import { PLACE_NAMES, type Place, placeWords, readPlace, wholeNumber } from "@/model/place";

export interface Address {
  readonly conversationId: string | null;
  readonly viewId: string | null;
  readonly lens: LensKind;
  readonly halfLayers: boolean;
  readonly place: Place;
  /** Ids of the pinned tokens; those that are added up are together. */
  readonly pins: readonly (readonly number[])[];
  /** Pinned places where the residual stream is read. */
  readonly positions: readonly number[];
  /** What is chosen inside the view. */
  readonly choices: ChoiceTexts;
}

const OWN_NAMES: readonly string[] = ["c", "view", "lens", "half", ...PLACE_NAMES, "pin", "at"];
const MAX_CHOICES = 32;

export function parseAddress(search: string): Address {
  const query = new URLSearchParams(search);
  const lens = query.get("lens");
  return {
    conversationId: nonEmpty(query.get("c")),
    viewId: nonEmpty(query.get("view")),
    lens: isLensKind(lens) ? lens : "logit",
    halfLayers: query.get("half") === "on",
    place: readPlace(query),
    pins: pieces(query.get("pin"), ".", MAX_PINNED_TOKENS)
      .map((ids) => wholeNumbers(ids, "-", MAX_PINNED_TOKENS))
      .filter((ids) => ids.length > 0),
    positions: wholeNumbers(query.get("at"), ".", MAX_PINNED_POSITIONS),
    choices: Object.fromEntries(
      [...query]
        .filter(([name, text]) => !OWN_NAMES.includes(name) && isChoiceText(name, text))
        .slice(0, MAX_CHOICES),
    ),
  };
}

/** The address as a query, empty or with its question mark. */
export function formatAddress(address: Address): string {
  const { conversationId, viewId, lens, halfLayers, place, pins, positions, choices } = address;
  const query = new URLSearchParams();
  if (conversationId !== null) query.set("c", conversationId);
  if (viewId !== null) query.set("view", viewId);
  if (conversationId !== null && lens !== "logit") query.set("lens", lens);
  if (conversationId !== null && halfLayers) query.set("half", "on");
  if (conversationId !== null) {
    for (const [name, text] of placeWords(place)) query.set(name, text);
  }
  if (conversationId !== null && pins.length > 0) {
    query.set("pin", pins.map((ids) => ids.join("-")).join("."));
  }
  if (conversationId !== null && positions.length > 0) query.set("at", positions.join("."));
  if (conversationId !== null) {
    for (const [name, text] of Object.entries(choices)) query.set(name, text);
  }
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

// Server ids have at most 64 characters; anything longer was not made by this page.
const nonEmpty = (value: string | null): string | null =>
  value === null || value === "" || value.length > 64 ? null : value;

const pieces = (value: string | null, mark: string, most: number): string[] =>
  (value ?? "").split(mark, most);

const wholeNumbers = (value: string | null, mark: string, most: number): number[] =>
  pieces(value, mark, most)
    .map(wholeNumber)
    .filter((number) => number !== null);
