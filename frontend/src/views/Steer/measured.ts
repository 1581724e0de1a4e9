/** The token whose probability is measured. */
import type { Touched } from "@/features/steering/choices";
import type { Timeline } from "@/model/timeline";

/**
 * Its index: the selected token where something that it depends on is touched, else the first token of
 * the last reply.
 */
export function measuredIndex(
  { tokens, turns }: Pick<Timeline, "tokens" | "turns">,
  selected: number | null,
  touch: Touched,
): number {
  const replyStart = turns.at(-1)?.replyStart ?? tokens.length;
  const least = touch === "reply" ? replyStart : 1;
  const isUsable = selected !== null && selected >= least && selected < tokens.length;
  return Math.max(1, isUsable ? selected : replyStart);
}
