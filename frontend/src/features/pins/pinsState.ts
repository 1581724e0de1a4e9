/**
 * The pins of each conversation that this page has shown, as a pure function of what happened. They
 * belong to the conversation: a new one begins with none, a branch that is made here takes over those
 * of the text that it shares, and a saved one that is opened has those that are saved with it, or those
 * that an address names.
 */
import { type ChatState, shownId } from "@/features/chat/chatState";
import type { SavedConversation } from "@/features/library/conversations";
import {
  NO_PINS,
  type PinState,
  type PinnedIds,
  idsBefore,
  pinnedIds,
  pinsBefore,
  pinsToKeep,
  restoredPins,
} from "./pins";

interface HeldPins {
  readonly state: PinState;
  /** What the server holds; null until it has told. */
  readonly saved: PinnedIds | null;
  /** Changed on this page. What an address names is no change: it is not written over what is saved. */
  readonly isChanged: boolean;
}

export interface PinsState {
  /** The conversation whose pins are shown. Null for one that has no id yet. */
  readonly shownId: string | null;
  readonly held: ReadonlyMap<string | null, HeldPins>;
  /** The conversation whose pins an address has named and that is still to be opened. */
  readonly namedId: string | null;
  /** The answer that was taken in last. */
  readonly opened: SavedConversation | null;
}

const NONE: PinnedIds = { token_ids: [], positions: [] };
const BEGUN: HeldPins = { state: NO_PINS, saved: NONE, isChanged: false };

export const NO_HELD_PINS: PinsState = { shownId: null, held: new Map(), namedId: null, opened: null };

const isSame = (one: PinnedIds, other: PinnedIds): boolean =>
  JSON.stringify([one.token_ids, one.positions]) === JSON.stringify([other.token_ids, other.positions]);

const isUnsaved = ({ state, saved, isChanged }: HeldPins): boolean =>
  isChanged && (saved === null || !isSame(pinnedIds(state), saved));

const withHeld = (state: PinsState, id: string | null, pins: HeldPins): PinsState => ({
  ...state,
  held: new Map(state.held).set(id, pins),
});

export const shownPins = ({ held, shownId: id }: PinsState): PinState => held.get(id)?.state ?? NO_PINS;

export interface UnsavedPins {
  readonly id: string;
  readonly pins: PinnedIds;
  /** What the server held when it last told. */
  readonly saved: PinnedIds;
}

/** What the server does not hold yet, of the conversations that are shown or were. */
export const unsavedPins = ({ held }: PinsState): UnsavedPins[] =>
  [...held].flatMap(([id, pins]) =>
    id !== null && isUnsaved(pins) ? [{ id, pins: pinnedIds(pins.state), saved: pins.saved ?? NONE }] : [],
  );

/** Pins or lets go in the conversation that is shown. */
export function changed(state: PinsState, change: (before: PinState) => PinState): PinsState {
  const pins = state.held.get(state.shownId) ?? BEGUN;
  const after = change(pins.state);
  return after === pins.state
    ? state
    : withHeld(state, state.shownId, { ...pins, state: after, isChanged: true });
}

/** A conversation is about to be shown by an address, or by the list, which names no pins. */
export function visited(state: PinsState, id: string, named: PinnedIds): PinsState {
  const before = state.held.get(id);
  if (!isSame(named, NONE)) {
    const isThere = before !== undefined && isSame(pinnedIds(before.state), named);
    const pins = { state: restoredPins(named), saved: before?.saved ?? null, isChanged: false };
    return { ...withHeld(state, id, isThere ? before : pins), namedId: id };
  }
  const plain = { ...state, namedId: null };
  if (before === undefined || isUnsaved(before)) return plain;
  return withHeld(plain, id, held(before, before.saved ?? NONE));
}

/** The pins that are saved; the same state, with its texts and colours, where it has them already. */
const held = ({ state }: HeldPins, saved: PinnedIds): HeldPins => ({
  state: isSame(pinnedIds(state), saved) ? state : restoredPins(saved),
  saved,
  isChanged: false,
});

/** The server holds these pins now. */
export function saved(state: PinsState, id: string, pins: PinnedIds): PinsState {
  const before = state.held.get(id);
  return before === undefined ? state : withHeld(state, id, { ...before, saved: pins });
}

/** There is no such conversation any more that could hold pins. */
export function forgotten(state: PinsState, id: string): PinsState {
  const others = new Map(state.held);
  others.delete(id);
  return { ...state, held: others };
}

/** What pins depend on of the conversation that is shown. */
export interface PinnedChat extends Pick<ChatState, "opened" | "branchedFrom"> {
  readonly id: string | null;
  /** The branch whose text is known to its end; null while a reply is written. */
  readonly settledId: string | null;
  readonly nTokens: number;
  /** It began as the shipped example, whose pins are known before it is saved. */
  readonly isShipped: boolean;
}

export function pinnedChat(chat: ChatState): PinnedChat {
  const { opened, branchedFrom, pending, timeline, shipped } = chat;
  return {
    opened,
    branchedFrom,
    id: shownId(chat),
    settledId: pending === null ? timeline.conversationId : null,
    nTokens: pending === null ? timeline.tokens.length : 0,
    isShipped: shipped !== null,
  };
}

/** Goes on to the conversation that is shown now; the same state where nothing of it is new. */
export function followed(state: PinsState, chat: PinnedChat): PinsState {
  const { id } = chat;
  let next = state;
  if (chat.opened !== state.opened) next = withOpened(state, chat.opened);
  if (id !== state.shownId) next = withShown(next, id, chat);
  return withoutLostText(next, chat);
}

/**
 * Drops positions that are not in the text of the conversation that is shown: of a reply that came to
 * nothing, or named by an address. While a reply is written, its text is not known to its end.
 */
function withoutLostText(state: PinsState, { settledId, nTokens }: PinnedChat): PinsState {
  const pins = state.held.get(settledId);
  // What is shown without its text, since another model is needed for it, is not in the timeline.
  if (settledId === null || settledId !== state.shownId || !pins) return state;
  const within = pinsBefore(pins.state, nTokens);
  return within === pins.state ? state : withHeld(state, settledId, { ...pins, state: within });
}

function withOpened(state: PinsState, opened: SavedConversation | null): PinsState {
  const next = { ...state, opened };
  if (!opened?.is_readable) return next;
  const { token_ids = [], positions = [] } = opened.pins;
  const there = state.held.get(opened.id) ?? BEGUN;
  const pins = { token_ids, positions };
  return { ...withHeld(next, opened.id, reheld(there, pins, state.namedId === opened.id)), namedId: null };
}

/** What is on the page when the server tells what it holds. */
function reheld(there: HeldPins, saved: PinnedIds, isNamed: boolean): HeldPins {
  if (isUnsaved(there)) {
    // What another page has pinned is shown too: from now on it counts as known here.
    const all = pinsToKeep(pinnedIds(there.state), saved, there.saved ?? NONE);
    return { ...there, state: restoredPins(all, there.state), saved };
  }
  return isNamed ? { ...there, saved } : held(there, saved);
}

function withShown(state: PinsState, id: string | null, chat: PinnedChat): PinsState {
  const known = new Map(state.held);
  known.delete(null);
  if (id !== null && !known.has(id)) known.set(id, begun(state, chat));
  return { ...state, shownId: id, held: known };
}

/** A conversation that begins on this page: a new one, or a branch. */
function begun(
  { held: known, shownId: before }: PinsState,
  { branchedFrom, isShipped }: PinnedChat,
): HeldPins {
  if (isShipped && before === null) return known.get(null) ?? BEGUN;
  const parent = branchedFrom === null ? undefined : known.get(branchedFrom.conversationId);
  if (branchedFrom === null || parent === undefined) return BEGUN;
  const { fromIndex } = branchedFrom;
  return {
    state: pinsBefore(parent.state, fromIndex),
    // The server makes the branch of what it holds; whatever else is on the page is to be saved.
    saved: idsBefore(parent.saved ?? NONE, fromIndex),
    isChanged: true,
  };
}
