/** The token of a reply that tells most: where to look first while nothing is selected. */
import { decisionLayer } from "./decision";
import type { Timeline, Token } from "./timeline";

export interface TellingToken {
  readonly index: number;
  /** Layer from which it stays top-1 up to the output; null where it does not, or was not read. */
  readonly decided: number | null;
}

const isWord = ({ text, special }: Token): boolean => !special && /[\p{L}\p{N}]/u.test(text);
const folded = ({ text }: Token): string => text.trim().toLowerCase();

/**
 * Of the words of the last reply that its prompt does not hold, the one decided at the latest layer;
 * of several, the last. Null where the reply has no token.
 */
export function tellingToken({ tokens, turns }: Pick<Timeline, "tokens" | "turns">): TellingToken | null {
  const turn = turns.at(-1);
  if (turn === undefined) return null;
  const asked = new Set(tokens.slice(0, turn.replyStart).map(folded));
  const reply = tokens.slice(Math.max(1, turn.replyStart)).filter(({ role }) => role === "assistant");
  const words = reply.filter(isWord);
  const news = words.filter((token) => !asked.has(folded(token)));
  const among = [news, words, reply].find((each) => each.length > 0) ?? [];
  return among
    .map((token) => ({ index: token.index, decided: decidedAt(token) }))
    .reduce<TellingToken | null>(
      (best, each) => (best === null || (each.decided ?? -1) >= (best.decided ?? -1) ? each : best),
      null,
    );
}

const decidedAt = ({ lens }: Token): number | null =>
  lens === null ? null : decisionLayer(lens.map(({ actual }) => actual.rank));
