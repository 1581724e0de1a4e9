/** The two texts of a patch: A and B up to their replies, and which of their positions stand for each other. */
import { align } from "@/features/pair/alignment";
import type { SideSource } from "@/features/pair/otherSide";
import { repeatsChange } from "@/features/pair/repeats";
import type { Token } from "@/model/timeline";
import type { JobInfo, PatchRequest } from "@/types/schemas";
import type { PatchDirection } from "./choices";

export interface PatchText {
  readonly source: SideSource;
  /** The last of them is where the metric is read. */
  readonly tokens: readonly Token[];
}

export interface PatchTexts {
  readonly a: PatchText;
  readonly b: PatchText;
  /** Positions of A and of B. A token without a counterpart is in none. */
  readonly pairs: readonly (readonly [number, number])[];
  /** What A and B go on with, whose logits are compared; null: what each finds most probable. */
  readonly answers: { readonly answer: Token; readonly foil: Token } | null;
  /** Whose logits are compared: chosen, else `answers`; null is what a run finds most probable. */
  readonly metric: PatchMetric;
}

export interface PatchMetric {
  readonly answer: number | null;
  readonly foil: number | null;
}

const NOT_CHOSEN: PatchMetric = { answer: null, foil: null };

/** Tokens before the last reply; all where there is none. */
export function beforeReply(tokens: readonly Token[]): readonly Token[] {
  let length = tokens.length;
  while (length > 0 && tokens[length - 1]?.role === "assistant") length -= 1;
  return length === 0 ? tokens : tokens.slice(0, length);
}

/**
 * Both texts up to where they are read. That is before the selected token, where B has another one there;
 * else before the first token on which their replies differ by more than a word in which the prompts do;
 * else at the ends of both prompts.
 */
export function patchTexts(
  a: PatchText,
  b: PatchText,
  selected: number | null,
  chosen: PatchMetric = NOT_CHOSEN,
): PatchTexts {
  const alignment = align(
    a.tokens.map(({ id }) => id),
    b.tokens.map(({ id }) => id),
  );
  const { columns } = alignment;
  const parted = columns.flatMap((column) => {
    const answer = column.a === null ? undefined : a.tokens[column.a];
    const foil = column.b === null ? undefined : b.tokens[column.b];
    const isThere = answer !== undefined && foil !== undefined && answer.index > 0 && foil.index > 0;
    return isThere && !column.isSame ? [{ answer, foil }] : [];
  });
  const replied = parted.filter(
    ({ answer, foil }) => answer.role === "assistant" && foil.role === "assistant",
  );
  const isRepeat = repeatsChange(alignment, a.tokens, b.tokens);
  const answers =
    parted.find(({ answer }) => answer.index === selected && answer.role === "assistant") ??
    replied.find(({ answer, foil }) => !isRepeat(answer.text, foil.text)) ??
    replied[0] ??
    null;
  const endA = answers?.answer.index ?? beforeReply(a.tokens).length;
  const endB = answers?.foil.index ?? beforeReply(b.tokens).length;
  return {
    a: { source: a.source, tokens: a.tokens.slice(0, endA) },
    b: { source: b.source, tokens: b.tokens.slice(0, endB) },
    pairs: columns.flatMap((column): [number, number][] =>
      column.a === null || column.b === null || column.a >= endA || column.b >= endB
        ? []
        : [[column.a, column.b]],
    ),
    answers,
    metric: {
      answer: chosen.answer ?? answers?.answer.id ?? null,
      foil: chosen.foil ?? answers?.foil.id ?? null,
    },
  };
}

/** How both texts are named to the server. */
export const questionOf = (
  { a, b, metric }: PatchTexts,
  direction: PatchDirection,
): Pick<
  PatchRequest,
  "clean" | "corrupt" | "clean_length" | "corrupt_length" | "direction" | "answer" | "foil"
> => ({
  clean: a.source,
  corrupt: b.source,
  clean_length: a.tokens.length,
  corrupt_length: b.tokens.length,
  direction,
  ...metric,
});

/** Whether a map is of exactly these texts, asked in this direction. */
export function isOfTexts(
  { assumed, result }: JobInfo,
  { a, b, metric }: PatchTexts,
  direction: PatchDirection,
): boolean {
  const { clean, corrupt, site } = assumed;
  const isSame = (told: readonly { readonly id: number }[], own: readonly Token[]): boolean =>
    told.length === own.length && told.every(({ id }, i) => id === own[i]?.id);
  return (
    site === "resid" &&
    (metric.answer === null || metric.answer === result.answer?.token_id) &&
    (metric.foil === null || metric.foil === result.foil?.token_id) &&
    assumed.direction === direction &&
    isSame(clean.tokens, a.tokens) &&
    isSame(corrupt.tokens, b.tokens)
  );
}
