/** What the page's address says: which conversation, view, lens and place, and what is pinned. Never any text. */
import { type LensKind, isLensKind } from "./lenses";
import { MAX_PINNED_POSITIONS, MAX_PINNED_TOKENS } from "./pins";

export interface Address {
  readonly conversationId: string | null;
  readonly viewId: string | null;
  readonly lens: LensKind;
  readonly index: number | null;
  readonly layer: number | null;
  /** Ids of the pinned tokens; those that are added up are together. */
  readonly pins: readonly (readonly number[])[];
  /** Pinned places where the residual stream is read. */
  readonly positions: readonly number[];
}

export function parseAddress(search: string): Address {
  const query = new URLSearchParams(search);
  const lens = query.get("lens");
  return {
    conversationId: nonEmpty(query.get("c")),
    viewId: nonEmpty(query.get("view")),
    lens: isLensKind(lens) ? lens : "logit",
    index: wholeNumber(query.get("t")),
    layer: wholeNumber(query.get("l")),
    pins: pieces(query.get("pin"), ".", MAX_PINNED_TOKENS)
      .map((ids) => wholeNumbers(ids, "-", MAX_PINNED_TOKENS))
      .filter((ids) => ids.length > 0),
    positions: wholeNumbers(query.get("at"), ".", MAX_PINNED_POSITIONS),
  };
}

/** The address as a query, empty or with its question mark. */
export function formatAddress(address: Address): string {
  const { conversationId, viewId, lens, index, layer, pins, positions } = address;
  const query = new URLSearchParams();
  if (conversationId !== null) query.set("c", conversationId);
  if (viewId !== null) query.set("view", viewId);
  if (conversationId !== null && lens !== "logit") query.set("lens", lens);
  if (conversationId !== null && index !== null) query.set("t", `${index}`);
  if (conversationId !== null && layer !== null) query.set("l", `${layer}`);
  if (conversationId !== null && pins.length > 0) {
    query.set("pin", pins.map((ids) => ids.join("-")).join("."));
  }
  if (conversationId !== null && positions.length > 0) query.set("at", positions.join("."));
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

// Server ids have at most 64 characters; anything longer was not made by this page.
const nonEmpty = (value: string | null): string | null =>
  value === null || value === "" || value.length > 64 ? null : value;

const wholeNumber = (value: string | null): number | null =>
  value !== null && /^\d{1,6}$/.test(value) ? Number(value) : null;

const pieces = (value: string | null, mark: string, most: number): string[] =>
  (value ?? "").split(mark, most);

const wholeNumbers = (value: string | null, mark: string, most: number): number[] =>
  pieces(value, mark, most)
    .map(wholeNumber)
    .filter((number) => number !== null);
