/** How a timeline is named in a request for read-outs. */
import type { Timeline } from "@/model/timeline";

export type ReadSource = { readonly conversation_id: string } | { readonly token_ids: number[] };

/** By its id where the server holds it, else by exactly the ids that are shown. */
export const sourceOf = (conversationId: string | null, tokens: Timeline["tokens"]): ReadSource =>
  conversationId === null ? { token_ids: tokens.map(({ id }) => id) } : { conversation_id: conversationId };

/** Whether its model can read it: the server holds it, or takes it by its ids. */
export const hasSource = ({
  conversationId,
  shipped,
}: Pick<Timeline, "conversationId" | "shipped">): boolean => conversationId !== null || shipped !== undefined;
