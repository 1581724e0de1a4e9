/** The turns of a timeline: where each message and each reply begins, and how the reply ended. */
import type { SavedConversation } from "@/features/library/conversations";
import type { Timeline, Turn } from "@/model/timeline";
import type { components } from "@/types/api";
import type { Submission } from "./chatState";

/** A timeline cut before a token: the turns that remain, and of the last one what remains. */
export function turnsBefore(turns: readonly Turn[], cut: number): Turn[] {
  return turns
    .filter((turn) => turn.promptStart < cut)
    .map((turn) => (turn.replyStart >= cut ? { ...turn, finish: null, seed: null } : turn));
}

/** The turns once the server has begun a reply to `submission`, which continues `before`. */
export function turnsWithStart(
  shown: readonly Turn[],
  before: readonly Turn[],
  submission: Submission,
  event: components["schemas"]["StartEvent"],
): Turn[] {
  const replyStart = event.prompt_tokens.length;
  const started = startedTurn(before, submission, event);
  // A reply that is continued, also from inside it, stays one turn.
  const goesOn = submission.kind === "branch" || submission.kind === "continue";
  const isBefore = (turn: Turn): boolean =>
    goesOn ? turn.promptStart < started.promptStart : turn.replyStart < replyStart;
  return [...shown.filter(isBefore), started];
}

function startedTurn(
  before: readonly Turn[],
  submission: Submission,
  event: components["schemas"]["StartEvent"],
): Turn {
  const replyStart = event.prompt_tokens.length;
  const { seed } = event;
  if (submission.kind === "regenerate") {
    // Nothing was added to the prompt, so the turn begins where the regenerated one began.
    const old = before.find((turn) => turn.replyStart === replyStart);
    if (old !== undefined) return { ...old, seed, finish: null };
  }
  if (submission.kind === "branch" || submission.kind === "continue") {
    const old = before.findLast((turn) => turn.promptStart < replyStart);
    const isInReply = old !== undefined && old.replyStart <= replyStart;
    return {
      promptStart: old?.promptStart ?? replyStart,
      replyStart: isInReply ? old.replyStart : replyStart,
      userText: isInReply ? old.userText : null,
      seed,
      finish: null,
    };
  }
  return { promptStart: event.turn_start, replyStart, userText: submission.text, seed, finish: null };
}

export function withFinish(timeline: Timeline, finish: NonNullable<Turn["finish"]>): Timeline {
  const last = timeline.turns.at(-1);
  const turns = last === undefined ? timeline.turns : timeline.turns.with(-1, { ...last, finish });
  return { ...timeline, turns, status: "settled" };
}

/**
 * The turns of a stored timeline: each reply is a run of assistant tokens, its prompt what stands
 * before it. A reply that was begun several times, by branching inside it, has the last one's seed.
 * A message whose reply never began is a turn as well.
 */
export function turnsOf({ tokens, turns: stored }: Pick<SavedConversation, "tokens" | "turns">): Turn[] {
  const turns: Turn[] = [];
  const add = (promptStart: number, replyStart: number, end: number): void => {
    const last = stored.findLast((turn) => turn.end === end);
    turns.push({
      promptStart,
      replyStart,
      userText: null,
      seed: last?.sampling?.seed ?? null,
      finish: last?.finish_reason ?? null,
    });
  };
  let promptStart = 0;
  for (let index = 0; index < tokens.length; index += 1) {
    if (tokens[index]?.role !== "assistant" || (index > 0 && tokens[index - 1]?.role === "assistant"))
      continue;
    let end = index;
    while (tokens[end]?.role === "assistant") end += 1;
    add(promptStart, index, end);
    promptStart = end;
  }
  const unanswered = stored.at(-1);
  if (unanswered?.reply_start === tokens.length && tokens.length > promptStart) {
    add(promptStart, tokens.length, tokens.length);
  }
  return turns;
}
