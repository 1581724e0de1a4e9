/**
 * The text that a part is resampled from: the message before a token put differently, and after it the
 * same tokens up to that one, so that the part is taken from the same place of the other text.
 */
import { align } from "@/features/pair/alignment";
import type { Token } from "@/model/timeline";

export interface Donor {
  /** Up to the token that the part is taken from, which is the last of them. */
  readonly tokens: readonly Token[];
  /** Both texts are the same up to there, so that nothing would change. */
  readonly isSame: boolean;
}

const isOf =
  (role: Token["role"]) =>
  (token: Token): boolean =>
    token.role === role;

/** Where the reply begins to the message that is in sight at a position; the end of the text where none does. */
export function promptEndAt(tokens: readonly Token[], position: number): number {
  const before = tokens.slice(0, position + 1).findLastIndex(isOf("user"));
  const message = before < 0 ? tokens.findIndex(isOf("user")) : before;
  const reply = tokens.findIndex((token) => token.index > message && token.role === "assistant");
  return reply < 0 ? tokens.length : reply;
}

/** The other text up to the token that stands for the one at `position`; `prompt` is it up to its reply. */
export function donorAt(tokens: readonly Token[], position: number, prompt: readonly Token[]): Donor {
  const end = promptEndAt(tokens, position);
  const own = tokens.slice(0, position + 1);
  const found =
    position >= end - 1
      ? [...prompt, ...tokens.slice(end, position + 1)]
      : prompt.slice(0, 1 + counterpart(tokens.slice(0, end), prompt, position));
  return {
    tokens: found.map((token, index) => ({ ...token, index })),
    isSame: found.length === own.length && found.every(({ id }, i) => id === own[i]?.id),
  };
}

/** Within a prompt: the aligned token, or the last one before it that has one. */
function counterpart(own: readonly Token[], other: readonly Token[], position: number): number {
  const { columns } = align(
    own.map(({ id }) => id),
    other.map(({ id }) => id),
  );
  const upTo = columns.filter(({ a, b }) => a !== null && b !== null && a <= position);
  return upTo.at(-1)?.b ?? 0;
}
