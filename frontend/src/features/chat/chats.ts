/**
 * The conversations on the page, as a pure function of what happened: the one that is shown, and those
 * whose reply goes on, or has failed, while another is shown.
 */
import { isSameModel } from "@/model/identity";
import type { ModelIdentity } from "@/model/timeline";
import { decodedText } from "@/model/tokens";
import type { OpeningExample } from "@/types/schemas";
import {
  type ChatAction,
  type ChatKey,
  type ChatState,
  EMPTY_TIMELINE,
  type HeldWith,
  type Mode,
  chatReducer,
  initialChatState,
  openingChatState,
  shippedChatState,
  shownId,
} from "./chatState";

export interface Chats {
  readonly shown: ChatKey;
  readonly all: ReadonlyMap<ChatKey, ChatState>;
}

export type ChatsAction =
  /** Something happened in one conversation; nothing where that is gone. */
  | { readonly type: "chat"; readonly key: ChatKey; readonly action: ChatAction }
  /** A new conversation is shown. */
  | { readonly type: "begun"; readonly key: ChatKey; readonly mode: Mode }
  /** A saved conversation is shown: as it is on the page while its reply goes on, else to be read. */
  | { readonly type: "visited"; readonly key: ChatKey; readonly id: string }
  /** A shipped example is shown. */
  | { readonly type: "unpacked"; readonly key: ChatKey; readonly shipped: OpeningExample }
  /** One that is on the page is shown. */
  | { readonly type: "shown"; readonly key: ChatKey }
  /** Conversations are gone; where one of them is shown, a new one takes its place. */
  | { readonly type: "removed"; readonly keys: readonly ChatKey[]; readonly newKey: ChatKey };

export const initialChats = (mode: Mode): Chats => ({
  shown: 0,
  all: new Map([[0, initialChatState(0, mode)]]),
});

export function shownChat({ shown, all }: Chats): ChatState {
  const chat = all.get(shown);
  if (chat === undefined) throw new Error(`no conversation ${shown} is on the page`);
  return chat;
}

export function chatsReducer(chats: Chats, action: ChatsAction): Chats {
  switch (action.type) {
    case "chat": {
      const before = chats.all.get(action.key);
      if (before === undefined) return chats;
      const after = chatReducer(before, action.action);
      return after === before ? chats : { ...chats, all: new Map(chats.all).set(action.key, after) };
    }
    case "begun":
      return show(chats, initialChatState(action.key, action.mode));
    case "unpacked":
      return show(chats, shippedChatState(action.key, action.shipped));
    case "visited": {
      const running = runningChat(chats, action.id);
      return show(chats, running ?? openingChatState(action.key, shownChat(chats).mode, action.id));
    }
    case "shown": {
      const chat = chats.all.get(action.key);
      return chat === undefined ? chats : show(chats, chat);
    }
    case "removed": {
      const all = new Map([...chats.all].filter(([key]) => !action.keys.includes(key)));
      if (all.has(chats.shown)) return { ...chats, all };
      const { mode } = shownChat(chats);
      return { shown: action.newKey, all: all.set(action.newKey, initialChatState(action.newKey, mode)) };
    }
  }
}

/** The conversation on the page that is this branch and must not be read anew. */
const runningChat = ({ all }: Chats, id: string): ChatState | undefined =>
  [...all.values()].find((chat) => isUnfinished(chat) && shownId(chat) === id);

const isUnfinished = ({ pending, failure }: ChatState): boolean =>
  pending !== null || failure?.during === "request" || failure?.during === "reply";

/** What has ended and is not shown is left to the server. */
function show({ shown, all }: Chats, chat: ChatState): Chats {
  const kept = [...all].filter(([key, { pending, failure }]) =>
    key === shown ? pending !== null : pending !== null || failure !== null,
  );
  return { shown: chat.key, all: new Map(kept).set(chat.key, chat) };
}

/** The conversation without its tokens, where another model than the running one computed them. */
export function readableWith(chat: ChatState, running: ModelIdentity | null): ChatState {
  const { timeline, pending } = chat;
  const needed = timeline.model;
  if (timeline.shipped !== undefined) return readableShipped(chat, running);
  if (running === null || needed === null || pending !== null || isSameModel(needed, running)) return chat;
  return { ...chat, timeline: EMPTY_TIMELINE, heldWith: heldWith(chat, needed) };
}

/** A shipped example is read again by the model that computed it, and is no other model's. */
function readableShipped(chat: ChatState, running: ModelIdentity | null): ChatState {
  if (running === null) return chat;
  return isSameModel(chat.timeline.model, running)
    ? { ...chat, timeline: { ...chat.timeline, shipped: "readable" } }
    : initialChatState(chat.key, chat.mode);
}

function heldWith({ timeline, opened }: ChatState, model: ModelIdentity): HeldWith {
  const { conversationId, tokens } = timeline;
  const isSaved = opened !== null && opened.id === conversationId;
  const spoken = tokens.filter(({ role, special }) => role !== "template" && !special);
  return {
    id: conversationId,
    model,
    title: isSaved ? opened.title : null,
    text: isSaved ? opened.text : decodedText(spoken),
    notes: isSaved ? opened.notes : [],
  };
}

/** A reply that goes on, or has failed, and where it stands in the list. */
export interface ChatMark {
  readonly key: ChatKey;
  /** Of the conversation with its branches; null before the server has it. */
  readonly wholeId: string | null;
  /** What was typed. */
  readonly text: string;
  readonly kind: "running" | "failed";
}

/** `shown` has its own place for a failure. */
export const chatMarks = ({ shown, all }: Chats): ChatMark[] =>
  [...all.values()].flatMap(({ key, wholeId, pending, failure }): ChatMark[] => {
    if (pending !== null) return [{ key, wholeId, text: pending.submission.text, kind: "running" }];
    if (failure === null || key === shown) return [];
    return [{ key, wholeId, text: failure.submission?.text ?? "", kind: "failed" }];
  });
