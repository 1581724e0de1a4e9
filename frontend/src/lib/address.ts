/** What the page's address says: which conversation, view and place. Never any text. */

export interface Address {
  readonly conversationId: string | null;
  readonly viewId: string | null;
  readonly index: number | null;
  readonly layer: number | null;
}

export function parseAddress(search: string): Address {
  const query = new URLSearchParams(search);
  return {
    conversationId: nonEmpty(query.get("c")),
    viewId: nonEmpty(query.get("view")),
    index: wholeNumber(query.get("t")),
    layer: wholeNumber(query.get("l")),
  };
}

/** The address as a query, empty or with its question mark. */
export function formatAddress({ conversationId, viewId, index, layer }: Address): string {
  const query = new URLSearchParams();
  if (conversationId !== null) query.set("c", conversationId);
  if (viewId !== null) query.set("view", viewId);
  if (conversationId !== null && index !== null) query.set("t", `${index}`);
  if (conversationId !== null && layer !== null) query.set("l", `${layer}`);
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

// Server ids have at most 64 characters; anything longer was not made by this page.
const nonEmpty = (value: string | null): string | null =>
  value === null || value === "" || value.length > 64 ? null : value;

const wholeNumber = (value: string | null): number | null =>
  value !== null && /^\d{1,6}$/.test(value) ? Number(value) : null;
