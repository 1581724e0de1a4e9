/** The timeline cut into what is shown as one piece: a prompt or a reply. */
import type { Timeline, Turn } from "@/types/timeline";

export interface Segment {
  readonly kind: "prompt" | "reply";
  /** Index of the first token. */
  readonly start: number;
  /** Index after the last token. */
  readonly end: number;
  readonly turn: Turn;
}

export function segmentsOf({ tokens, turns }: Timeline): Segment[] {
  return turns.flatMap((turn, number) => {
    const end = turns[number + 1]?.promptStart ?? tokens.length;
    const replyStart = Math.min(turn.replyStart, end);
    const prompt: Segment = { kind: "prompt", start: turn.promptStart, end: replyStart, turn };
    const reply: Segment = { kind: "reply", start: replyStart, end, turn };
    return turn.replyStart > end ? [prompt] : [prompt, reply];
  });
}

/** The nearest shown token from `from` in direction `step`; stays when there is none. */
export function stepToken(
  { tokens }: Timeline,
  showTemplate: boolean,
  from: number | null,
  step: 1 | -1,
): number | null {
  const isShown = (index: number): boolean => showTemplate || tokens[index]?.role !== "template";
  let index = from === null ? (step === 1 ? 0 : tokens.length - 1) : from + step;
  while (index >= 0 && index < tokens.length && !isShown(index)) index += step;
  return index >= 0 && index < tokens.length ? index : from;
}
