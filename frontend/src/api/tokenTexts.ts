/**
 * Texts of tokens that answers about a conversation have told, for tokens of which a page knows the id
 * only, such as a pin that came with its address.
 */
import type { components } from "@/types/api";

type Told = Pick<components["schemas"]["LensReadResponse"], "vocabulary" | "targets">;

/** By conversation, because another one may be of another model. */
const texts = new Map<string, Map<number, string>>();
const KEPT_CONVERSATIONS = 4;

export function keepTexts(conversationId: string | null, { vocabulary, targets }: Told): void {
  if (conversationId === null) return;
  const known = texts.get(conversationId) ?? new Map<number, string>();
  for (const [id, text] of Object.entries(vocabulary)) known.set(Number(id), text);
  for (const { token_id, text } of targets) known.set(token_id, text);
  texts.delete(conversationId);
  texts.set(conversationId, known);
  const oldest = texts.keys().next().value;
  if (texts.size > KEPT_CONVERSATIONS && oldest !== undefined) texts.delete(oldest);
}

/** Null until an answer has told it. */
export const toldText = (conversationId: string | null, tokenId: number): string | null =>
  texts.get(conversationId ?? "")?.get(tokenId) ?? null;
