/**
 * State of the conversation on the page, as a pure function of what happened. The server's `start`
 * event is the truth for everything before the reply: its tokens replace whatever the page showed.
 */
import type { Health } from "@/api/client";
import type { SavedConversation } from "@/api/conversations";
import type { ApiError } from "@/api/errors";
import type { StreamEvent } from "@/api/stream";
import type { components } from "@/types/api";
import type { Timeline, Token, Turn } from "@/types/timeline";

type Schemas = components["schemas"];
export type Mode = NonNullable<Schemas["ChatRequest"]["mode"]>;

/** What the person asked for; enough to do it again. */
export interface Submission {
  readonly kind: "message" | "edit" | "regenerate" | "continue" | "branch";
  /** What the person typed; empty for `regenerate`, `continue` and `branch`. */
  readonly text: string;
  /** Tokens that the reply is to begin with. */
  readonly forced?: readonly number[];
  /** The timeline is cut before this token; null continues at its end. */
  readonly fromIndex: number | null;
}

export interface Pending {
  readonly submission: Submission;
  /** The timeline before the submission, to go back to when nothing comes of it. */
  readonly before: Timeline;
}

export interface ReplyStats {
  readonly firstTokenAt: number | null;
  readonly lastTokenAt: number | null;
  readonly tokens: number;
}

export interface Failure {
  readonly error: ApiError;
  /** The turn whose partial reply is still shown; null where nothing was written. */
  readonly pending: Pending | null;
}

export interface ChatState {
  readonly mode: Mode;
  readonly timeline: Timeline;
  /** Set from submitting until the reply is settled. */
  readonly pending: Pending | null;
  readonly failure: Failure | null;
  /** Text on its way back to the composer; `serial` tells one return from the next. */
  readonly returned: { readonly text: string; readonly serial: number };
  readonly stats: ReplyStats;
  /** The saved conversation that was opened last, as it was then; null for one that began here. */
  readonly opened: SavedConversation | null;
  /** What the shown conversation left, where it is a branch that was begun here. */
  readonly branchedFrom: { readonly conversationId: string; readonly fromIndex: number } | null;
}

export type ChatAction =
  | { readonly type: "submitted"; readonly submission: Submission }
  | {
      readonly type: "received";
      readonly event: Exclude<StreamEvent, { type: "error" }>;
      readonly at: number;
    }
  | { readonly type: "failed"; readonly error: ApiError }
  | { readonly type: "stopped" }
  | { readonly type: "dismissed" }
  | { readonly type: "cleared"; readonly mode: Mode }
  | { readonly type: "reopening" }
  | { readonly type: "reopened"; readonly saved: SavedConversation };

export const EMPTY_TIMELINE: Timeline = { conversationId: null, tokens: [], turns: [], status: "empty" };
const NO_STATS: ReplyStats = { firstTokenAt: null, lastTokenAt: null, tokens: 0 };

export function initialChatState(mode: Mode): ChatState {
  return {
    mode,
    timeline: EMPTY_TIMELINE,
    pending: null,
    failure: null,
    returned: { text: "", serial: 0 },
    stats: NO_STATS,
    opened: null,
    branchedFrom: null,
  };
}

/** The conversation that is shown. A failed turn is not stored, so that is the one before it. */
export function shownId({ opened, failure, timeline }: ChatState): string | null {
  if (opened?.is_readable === false) return opened.id;
  return (failure?.pending?.before ?? timeline).conversationId;
}

export function chatReducer(state: ChatState, action: ChatAction): ChatState {
  switch (action.type) {
    case "submitted":
      return submit(state, action.submission);
    case "received":
      return receive(state, action.event, action.at);
    case "failed":
      return fail(state, action.error);
    case "stopped":
      return stop(state);
    case "dismissed":
      return { ...state, timeline: state.failure?.pending?.before ?? state.timeline, failure: null };
    case "cleared":
      return { ...initialChatState(action.mode), returned: state.returned };
    case "reopening":
      return {
        ...initialChatState(state.mode),
        timeline: { ...EMPTY_TIMELINE, status: "waiting" },
        returned: state.returned,
      };
    case "reopened":
      return reopen(state, action.saved);
    default:
      return assertNever(action);
  }
}

function reopen(state: ChatState, saved: SavedConversation): ChatState {
  const { id, tokens, is_readable } = saved;
  const timeline: Timeline = is_readable
    ? { conversationId: id, tokens, turns: turnsOf(saved), status: tokens.length === 0 ? "empty" : "settled" }
    : EMPTY_TIMELINE;
  return {
    ...initialChatState(is_readable ? modeFromRoles(tokens) : state.mode),
    timeline,
    returned: state.returned,
    opened: saved,
  };
}

function submit(state: ChatState, submission: Submission): ChatState {
  // After a failed reply the page still shows what was written; the next message starts from before it.
  const before = state.failure?.pending?.before ?? state.timeline;
  const cut = submission.fromIndex ?? before.tokens.length;
  return {
    ...state,
    timeline: {
      ...before,
      tokens: before.tokens.slice(0, cut),
      turns: before.turns.filter((turn) => turn.promptStart < cut).map((turn) => cutTurn(turn, cut)),
      status: "waiting",
    },
    pending: { submission, before },
    failure: null,
    stats: NO_STATS,
    // What cannot be continued gives way to the new conversation.
    opened: state.opened?.is_readable === false ? null : state.opened,
  };
}

/** A turn of which only the part before `cut` remains. */
function cutTurn(turn: Turn, cut: number): Turn {
  return turn.replyStart >= cut ? { ...turn, finish: null, seed: null } : turn;
}

function receive(state: ChatState, event: Exclude<StreamEvent, { type: "error" }>, at: number): ChatState {
  if (state.pending === null) return state; // stopped meanwhile: the page shows what it had then
  switch (event.type) {
    case "start":
      return {
        ...state,
        timeline: {
          conversationId: event.conversation_id,
          tokens: event.prompt_tokens,
          turns: [...turnsBefore(state, event.prompt_tokens.length), startedTurn(state, event)],
          status: "streaming",
        },
        branchedFrom: branchingOf(state.pending, event.conversation_id) ?? state.branchedFrom,
      };
    case "token":
      return {
        ...state,
        timeline: { ...state.timeline, tokens: [...state.timeline.tokens, event.token] },
        stats: {
          firstTokenAt: state.stats.firstTokenAt ?? at,
          lastTokenAt: at,
          tokens: state.stats.tokens + 1,
        },
      };
    case "lens":
      return {
        ...state,
        timeline: { ...state.timeline, tokens: withLens(state.timeline.tokens, event.index, event.lens) },
      };
    case "done":
      return {
        ...state,
        timeline: finishLastTurn(state.timeline, event.finish_reason),
        pending: null,
      };
    default:
      return assertNever(event);
  }
}

function branchingOf({ before, submission }: Pending, newId: string): ChatState["branchedFrom"] {
  const { conversationId, tokens } = before;
  if (conversationId === null || conversationId === newId) return null;
  return { conversationId, fromIndex: submission.fromIndex ?? tokens.length };
}

/** The turns that stay as they are; a branch goes on with the turn that it leaves. */
function turnsBefore({ timeline, pending }: ChatState, replyStart: number): readonly Turn[] {
  if (pending?.submission.kind !== "branch") return timeline.turns.filter((t) => t.replyStart < replyStart);
  return timeline.turns.filter((turn) => turn.promptStart < replyStart).slice(0, -1);
}

function startedTurn(state: ChatState, event: Schemas["StartEvent"]): Turn {
  const submission = state.pending?.submission;
  const replyStart = event.prompt_tokens.length;
  const before = state.pending?.before.turns ?? [];
  if (submission?.kind === "regenerate") {
    // Nothing was added to the prompt, so the turn begins where the regenerated one began.
    const old = before.find((turn) => turn.replyStart === replyStart);
    if (old !== undefined) return { ...old, seed: event.seed, finish: null };
  }
  if (submission?.kind === "branch") {
    const old = before.findLast((turn) => turn.promptStart < replyStart);
    const isInReply = old !== undefined && old.replyStart <= replyStart;
    return {
      promptStart: old?.promptStart ?? replyStart,
      replyStart: isInReply ? old.replyStart : replyStart,
      userText: isInReply ? old.userText : null,
      seed: event.seed,
      finish: null,
    };
  }
  return {
    promptStart: event.turn_start,
    replyStart,
    userText: submission?.text ?? null,
    seed: event.seed,
    finish: null,
  };
}

function withLens(
  tokens: readonly Token[],
  index: number,
  lens: NonNullable<Token["lens"]>,
): readonly Token[] {
  const token = tokens[index];
  return token === undefined ? tokens : tokens.with(index, { ...token, lens });
}

function finishLastTurn(timeline: Timeline, finish: NonNullable<Turn["finish"]>): Timeline {
  const last = timeline.turns.at(-1);
  const turns = last === undefined ? timeline.turns : timeline.turns.with(-1, { ...last, finish });
  return { ...timeline, turns, status: "settled" };
}

function fail(state: ChatState, error: ApiError): ChatState {
  const { pending } = state;
  if (pending === null) {
    // A conversation could not be reopened.
    return { ...state, timeline: EMPTY_TIMELINE, failure: { error, pending: null } };
  }
  if (state.stats.tokens > 0) {
    // The server keeps nothing of a failed turn, so its conversation must not be read or continued.
    return {
      ...state,
      timeline: { ...finishLastTurn(state.timeline, "failed"), conversationId: null },
      pending: null,
      failure: { error, pending },
      returned: returnText(state, pending),
    };
  }
  return { ...undo(state, pending), failure: { error, pending: null } };
}

function stop(state: ChatState): ChatState {
  const { pending } = state;
  if (pending === null) return state;
  if (state.stats.tokens > 0) {
    return { ...state, timeline: finishLastTurn(state.timeline, "cancelled"), pending: null };
  }
  return undo(state, pending);
}

/** As if nothing had been submitted, with the message back in the composer. */
function undo(state: ChatState, pending: Pending): ChatState {
  return {
    ...state,
    timeline: pending.before,
    pending: null,
    stats: NO_STATS,
    returned: returnText(state, pending),
  };
}

function returnText({ returned }: ChatState, { submission: { text } }: Pending): ChatState["returned"] {
  return text === "" ? returned : { text, serial: returned.serial + 1 };
}

/**
 * The turns of a stored timeline: each reply is a run of assistant tokens, its prompt what stands
 * before it. A reply that was begun several times, by branching inside it, has the last one's seed.
 */
function turnsOf({ tokens, turns: stored }: SavedConversation): Turn[] {
  const turns: Turn[] = [];
  let promptStart = 0;
  for (let index = 0; index < tokens.length; index += 1) {
    if (tokens[index]?.role !== "assistant" || (index > 0 && tokens[index - 1]?.role === "assistant"))
      continue;
    let end = index;
    while (tokens[end]?.role === "assistant") end += 1;
    const last = stored.findLast((turn) => turn.end === end);
    turns.push({
      promptStart,
      replyStart: index,
      userText: null,
      seed: last?.sampling?.seed ?? null,
      finish: last?.finish_reason ?? null,
    });
    promptStart = end;
  }
  return turns;
}

/** Only a chat template writes text of its own between the messages. */
function modeFromRoles(tokens: readonly Token[]): Mode {
  return tokens.some((token) => token.role === "template" && !token.special) ? "chat" : "completion";
}

/** Where the conversation stands, in the words of the status line. */
export type Activity = "idle" | "queued" | "reading" | "writing";

export function activityOf(state: ChatState, health: Health | null): Activity {
  if (state.pending === null) return "idle";
  if (state.stats.tokens > 0) return "writing";
  if (state.timeline.status === "waiting" && health !== null && health.queue.waiting > 0) return "queued";
  return "reading";
}

/** Tokens per second between the first and the last token; null until there are enough to say. */
export function tokensPerSecond({ firstTokenAt, lastTokenAt, tokens }: ReplyStats): number | null {
  if (firstTokenAt === null || lastTokenAt === null || tokens < 3) return null;
  const seconds = (lastTokenAt - firstTokenAt) / 1000;
  return seconds > 0 ? (tokens - 1) / seconds : null;
}

function assertNever(value: never): never {
  throw new Error(`unknown case: ${JSON.stringify(value)}`);
}
