/**
 * State of one conversation on the page, as a pure function of what happened. The server's `start`
 * event is the truth for everything before the reply: its tokens replace whatever the page showed.
 * From then on the server keeps the message and what it has sent of the reply, however it ends.
 */
import type { ApiError } from "@/base/errors";
import type { SavedConversation } from "@/features/library/conversations";
import type { Intervention, ModelIdentity, Steering, Timeline, Token } from "@/model/timeline";
import type { components } from "@/types/api";
import type { Health, OpeningExample } from "@/types/schemas";
import type { StreamEvent } from "./stream";
import { turnsBefore, turnsOf, turnsWithStart, withFinish } from "./turns";

type Schemas = components["schemas"];
export type Mode = NonNullable<Schemas["ChatRequest"]["mode"]>;

/** Names a conversation on this page, also before the server has given it an id. */
export type ChatKey = number;

/** What the person asked for; enough to do it again. */
export interface Submission {
  readonly kind: "message" | "edit" | "regenerate" | "continue" | "branch";
  /** What the person typed; empty for `regenerate`, `continue` and `branch`. */
  readonly text: string;
  /** Tokens that the reply is to begin with. */
  readonly forced?: readonly number[];
  /** What the reply is computed under; left out, that of the branch. */
  readonly interventions?: readonly Intervention[];
  /** Draws as this seed did; left out, by the sampling settings. */
  readonly seed?: number;
  /** In place of the chosen one, such as that of a worked example. */
  readonly temperature?: number;
  /** The timeline is cut before this token; null continues at its end. */
  readonly fromIndex: number | null;
}

export interface Pending {
  readonly submission: Submission;
  /** The timeline before the submission, to go back to when nothing comes of it. */
  readonly before: Timeline;
}

export interface QueuePlace {
  /** 1 is next. */
  readonly position: number;
  readonly secondsLeft: number;
}

export interface ReplyStats {
  readonly firstTokenAt: number | null;
  readonly lastTokenAt: number | null;
  readonly tokens: number;
  /** Where it waits for the model; null while it does not. */
  readonly queued: QueuePlace | null;
  /** How far its job is on NDIF, where the model runs there. */
  readonly remote: RemoteState | null;
}

export type RemoteState = Schemas["RemoteEvent"]["state"];

export interface Failure {
  readonly error: ApiError;
  /**
   * - `opening`: the saved conversation could not be read
   * - `request`: nothing came of the submission
   * - `reply`: the reply had begun; what was written is kept
   * - `lost`: the reply had begun, and the server holds nothing of it
   */
  readonly during: "opening" | "request" | "reply" | "lost";
  /** What failed; null for `opening`. */
  readonly submission: Submission | null;
}

/** A conversation that the running model cannot read. */
export interface HeldWith {
  /** Null where the server holds nothing of it. */
  readonly id: string | null;
  readonly model: ModelIdentity;
  /** Null where it is not known. */
  readonly title: string | null;
  readonly text: string;
  readonly notes: readonly Schemas["Note"][];
}

export interface ChatState {
  readonly key: ChatKey;
  readonly mode: Mode;
  readonly timeline: Timeline;
  /** Set from submitting until the reply has ended. */
  readonly pending: Pending | null;
  readonly failure: Failure | null;
  /** Text on its way back to the composer; `serial` tells one return from the next. */
  readonly returned: { readonly text: string; readonly serial: number };
  readonly stats: ReplyStats;
  /** Id of the saved conversation that is still to be read. */
  readonly opening: string | null;
  /** The saved conversation that was opened last, as it was then; null for one that began here. */
  readonly opened: SavedConversation | null;
  /** Id of the conversation with all its branches; null before the server has it. */
  readonly wholeId: string | null;
  /** What the shown conversation left, where it is a branch that was begun here. */
  readonly branchedFrom: { readonly conversationId: string; readonly fromIndex: number } | null;
  /** Set in place of the timeline where another model than the running one computed it. */
  readonly heldWith: HeldWith | null;
  /** The example that the page was opened with; the server holds it once something is done with it. */
  readonly shipped: OpeningExample | null;
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
  | { readonly type: "reopened"; readonly saved: SavedConversation }
  /** What the server holds after a reply was stopped, cut or failed. */
  | { readonly type: "reread"; readonly saved: SavedConversation }
  /** The server holds nothing of the conversation. */
  | { readonly type: "lost" }
  /** The server holds the shipped example now. */
  | { readonly type: "kept"; readonly id: string };

export const EMPTY_TIMELINE: Timeline = {
  conversationId: null,
  model: null,
  tokens: [],
  turns: [],
  status: "empty",
};
const NO_STATS: ReplyStats = { firstTokenAt: null, lastTokenAt: null, tokens: 0, queued: null, remote: null };

export function initialChatState(key: ChatKey, mode: Mode): ChatState {
  return {
    key,
    mode,
    timeline: EMPTY_TIMELINE,
    pending: null,
    failure: null,
    returned: { text: "", serial: 0 },
    stats: NO_STATS,
    opening: null,
    opened: null,
    wholeId: null,
    branchedFrom: null,
    heldWith: null,
    shipped: null,
  };
}

/** An example as it was shipped: answered, and not a conversation of the server's yet. */
export function shippedChatState(key: ChatKey, shipped: OpeningExample): ChatState {
  const { example, model, tokens, turn } = shipped;
  return {
    ...initialChatState(key, example.mode),
    shipped,
    timeline: {
      conversationId: null,
      model,
      tokens,
      turns: turnsOf({ tokens, turns: [turn] }),
      status: "settled",
      shipped: "awaits model",
    },
  };
}

/** A saved conversation that is to be read. */
export const openingChatState = (key: ChatKey, mode: Mode, id: string): ChatState => ({
  ...initialChatState(key, mode),
  timeline: { ...EMPTY_TIMELINE, status: "waiting" },
  opening: id,
});

/** The branch that is shown, or is about to be. */
export const shownId = ({ opening, heldWith, timeline }: ChatState): string | null =>
  opening ?? heldWith?.id ?? timeline.conversationId;

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
      return state.failure?.during === "opening"
        ? initialChatState(state.key, state.mode)
        : { ...state, failure: null };
    case "reopened":
      return reopen(state, action.saved);
    case "reread":
      return reread(state, action.saved);
    case "lost":
      return lose(state);
    case "kept":
      return keep(state, action.id);
    default:
      return assertNever(action);
  }
}

function reopen(state: ChatState, saved: SavedConversation): ChatState {
  return {
    ...initialChatState(state.key, saved.mode),
    timeline: timelineOf(saved),
    opened: saved,
    wholeId: saved.conversation_id,
  };
}

const under = (steering: Steering | null): Pick<Timeline, "steering"> =>
  steering === null ? {} : { steering };

const timelineOf = (saved: SavedConversation): Timeline => ({
  ...under(saved.steering),
  conversationId: saved.id,
  model: saved.model,
  tokens: saved.tokens,
  turns: turnsOf(saved),
  status: saved.tokens.length === 0 ? "empty" : "settled",
});

function submit(state: ChatState, submission: Submission): ChatState {
  const before = state.timeline;
  const cut = submission.fromIndex ?? before.tokens.length;
  return {
    ...state,
    timeline: {
      ...before,
      tokens: before.tokens.slice(0, cut),
      turns: turnsBefore(before.turns, cut),
      status: "waiting",
    },
    pending: { submission, before },
    failure: null,
    stats: NO_STATS,
  };
}

function receive(state: ChatState, event: Exclude<StreamEvent, { type: "error" }>, at: number): ChatState {
  const { pending, timeline } = state;
  if (pending === null) return state; // stopped meanwhile: the page shows what it had then
  switch (event.type) {
    case "start": {
      const { before, submission } = pending;
      return {
        ...state,
        timeline: {
          ...under(event.steering),
          conversationId: event.conversation_id,
          model: event.model_identity,
          tokens: event.prompt_tokens,
          turns: turnsWithStart(timeline.turns, before.turns, submission, event),
          status: "streaming",
        },
        wholeId: state.wholeId ?? event.conversation_id,
        branchedFrom: branchingOf(pending, event.conversation_id) ?? state.branchedFrom,
      };
    }
    case "queued": {
      const { position, seconds_left: secondsLeft } = event;
      return {
        ...state,
        stats: { ...state.stats, queued: position === 0 ? null : { position, secondsLeft } },
      };
    }
    case "remote":
      return { ...state, stats: { ...state.stats, remote: event.state } };
    case "token":
      return {
        ...state,
        timeline: { ...timeline, tokens: [...timeline.tokens, event.token] },
        stats: {
          firstTokenAt: state.stats.firstTokenAt ?? at,
          lastTokenAt: at,
          tokens: state.stats.tokens + 1,
          queued: null,
          remote: null,
        },
      };
    case "lens":
      return {
        ...state,
        timeline: { ...timeline, tokens: withLens(timeline.tokens, event.index, event.lens) },
      };
    case "done":
      return { ...state, timeline: withFinish(timeline, event.finish_reason), pending: null };
    default:
      return assertNever(event);
  }
}

function branchingOf({ before, submission }: Pending, newId: string): ChatState["branchedFrom"] {
  const { conversationId, tokens } = before;
  if (conversationId === null || conversationId === newId) return null;
  return { conversationId, fromIndex: submission.fromIndex ?? tokens.length };
}

function withLens(
  tokens: readonly Token[],
  index: number,
  lens: NonNullable<Token["lens"]>,
): readonly Token[] {
  const token = tokens[index];
  return token === undefined ? tokens : tokens.with(index, { ...token, lens });
}

/**
 * Whether the server keeps something of the turn under way: a message from the start on, of a turn
 * without one (generated again, continued, branched) its first token.
 */
export const isKept = ({ pending, timeline, stats }: ChatState): boolean =>
  pending !== null && timeline.status === "streaming" && (pending.submission.text !== "" || stats.tokens > 0);

function fail(state: ChatState, error: ApiError): ChatState {
  const { pending, opening } = state;
  if (opening !== null) {
    return { ...state, timeline: EMPTY_TIMELINE, failure: { error, during: "opening", submission: null } };
  }
  if (pending === null) return state;
  const { submission } = pending;
  if (isKept(state)) {
    return {
      ...state,
      timeline: withFinish(state.timeline, "interrupted"),
      pending: null,
      failure: { error, during: "reply", submission },
    };
  }
  return { ...undo(state, pending), failure: { error, during: "request", submission } };
}

function stop(state: ChatState): ChatState {
  const { pending } = state;
  if (pending === null) return state;
  if (isKept(state)) return { ...state, timeline: withFinish(state.timeline, "cancelled"), pending: null };
  return undo(state, pending);
}

/** As if nothing had been submitted, with the message back in the composer. */
function undo(state: ChatState, pending: Pending): ChatState {
  return {
    ...state,
    timeline: pending.before,
    pending: null,
    stats: NO_STATS,
    returned: returnText(state, pending.submission),
  };
}

function returnText({ returned }: ChatState, { text }: Submission): ChatState["returned"] {
  return text === "" ? returned : { text, serial: returned.serial + 1 };
}

/** Takes what the server holds; where it is what is shown, with the scores and the words that came with the reply. */
function reread(state: ChatState, saved: SavedConversation): ChatState {
  const { timeline, pending } = state;
  if (pending !== null || timeline.conversationId !== saved.id) return state;
  if (!saved.is_readable) return { ...state, opened: saved };
  const held = timelineOf(saved);
  return {
    ...state,
    opened: saved,
    timeline: {
      ...held,
      tokens: held.tokens.map((token, index) => {
        const shown = timeline.tokens[index];
        return shown?.id === token.id && shown.role === token.role ? shown : token;
      }),
      turns: held.turns.map((turn) => ({
        ...turn,
        userText: timeline.turns.find((each) => each.replyStart === turn.replyStart)?.userText ?? null,
      })),
    },
  };
}

function lose(state: ChatState): ChatState {
  if (state.pending !== null) return state;
  const { failure } = state;
  return {
    ...state,
    timeline: { ...state.timeline, conversationId: null },
    wholeId: null,
    opened: null,
    failure: failure === null ? null : { ...failure, during: "lost" },
    returned: failure?.submission ? returnText(state, failure.submission) : state.returned,
  };
}

function keep(state: ChatState, id: string): ChatState {
  if (state.shipped === null) return state;
  const { pending } = state;
  return {
    ...state,
    wholeId: id,
    timeline: heldBy(state.timeline, id),
    pending: pending === null ? null : { ...pending, before: heldBy(pending.before, id) },
  };
}

const heldBy = ({ model, tokens, turns, status }: Timeline, conversationId: string): Timeline => ({
  conversationId,
  model,
  tokens,
  turns,
  status,
});

/** Where the conversation stands, in the words of the status line. */
export type Activity = "idle" | "queued" | "remoteQueued" | "deploying" | "reading" | "writing";

export function activityOf(state: ChatState, health: Health | null): Activity {
  if (state.pending === null) return "idle";
  if (state.stats.tokens > 0) return "writing";
  if (state.stats.queued !== null) return "queued";
  if (state.stats.remote === "queued") return "remoteQueued";
  if (state.stats.remote === "deploying") return "deploying";
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
