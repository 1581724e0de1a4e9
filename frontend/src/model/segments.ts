/** The timeline cut into what is shown as one piece: a prompt or a reply. */
import type { Timeline, Token, Turn } from "./timeline";

export interface Segment {
  readonly kind: "prompt" | "reply";
  /** Index of the first token. */
  readonly start: number;
  /** Index after the last token. */
  readonly end: number;
  readonly turn: Turn;
}

export function segmentsOf({ tokens, turns }: Timeline): Segment[] {
  const starts = turns.map((turn) => ({
    prompt: turn.promptStart === 0 ? 0 : afterLineBreak(tokens, turn.promptStart),
    reply: replyShownFrom(tokens, turn),
  }));
  return turns.flatMap((turn, number) => {
    const { prompt: start, reply: replyStart } = starts[number] ?? { prompt: 0, reply: 0 };
    const end = starts[number + 1]?.prompt ?? tokens.length;
    const prompt: Segment = { kind: "prompt", start, end: Math.min(replyStart, end), turn };
    const reply: Segment = { kind: "reply", start: replyStart, end, turn };
    return replyStart > end || turn.replyStart > tokens.length ? [prompt] : [prompt, reply];
  });
}

/** The template's name of the model stands with the reply it introduces, its line break with the text before. */
function replyShownFrom(tokens: readonly Token[], { promptStart, replyStart }: Turn): number {
  let start = Math.min(replyStart, tokens.length);
  while (start > promptStart && tokens[start - 1]?.role === "template") start -= 1;
  const shown = afterLineBreak(tokens, start);
  return shown === start ? replyStart : Math.min(shown, replyStart);
}

/** The index after the first line break among the template's tokens from `start` on; `start` if there is none. */
function afterLineBreak(tokens: readonly Token[], start: number): number {
  for (let index = start; tokens[index]?.role === "template"; index += 1) {
    if (tokens[index]?.text.includes("\n") === true) return index + 1;
  }
  return start;
}

/** The nearest shown token from `from` in direction `step`; stays when there is none. */
export function stepToken(
  timeline: Pick<Timeline, "tokens">,
  showTemplate: boolean,
  from: number | null,
  step: 1 | -1,
): number | null {
  const { tokens } = timeline;
  const isShown = (index: number): boolean => showTemplate || tokens[index]?.role !== "template";
  // From beyond the text, as after going to a shorter branch, both ways lead to its end.
  if (from !== null && from >= tokens.length) return stepToken(timeline, showTemplate, null, -1);
  let index = from === null ? (step === 1 ? 0 : tokens.length - 1) : from + step;
  while (index >= 0 && index < tokens.length && !isShown(index)) index += step;
  return index >= 0 && index < tokens.length ? index : from;
}
