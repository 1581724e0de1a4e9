/**
 * What is pinned in the conversation that is shown, shared by every view: tokens, sums of them, and
 * positions.
 */
import { type ReactNode, createContext, use, useMemo, useState } from "react";
import { useShallow } from "zustand/react/shallow";
import { useChat } from "@/features/chat/chat";
import {
  MAX_PINNED_TOKENS,
  NO_PINS,
  type Pin,
  type PinState,
  type PinnedIds,
  type PinnedToken,
  countTokens,
  withPosition,
  withSplit,
  withSum,
  withToken,
  withoutPin,
  withoutPosition,
  withoutToken,
} from "./pins";
import {
  NO_HELD_PINS,
  type UnsavedPins,
  changed,
  followed,
  forgotten,
  pinnedChat,
  saved,
  shownPins,
  unsavedPins,
  visited,
} from "./pinsState";
import { useNamedPins } from "./pinTexts";

interface PinActions {
  readonly pin: (tokens: readonly PinnedToken[]) => void;
  readonly unpin: (tokenId: number) => void;
  /** Removes a line, with every token of a sum. */
  readonly remove: (slot: number) => void;
  readonly combine: (slots: readonly number[]) => void;
  readonly split: (slot: number) => void;
  readonly pinPosition: (position: number) => void;
  readonly unpinPosition: (position: number) => void;
  readonly clear: () => void;
}

export interface Pins extends PinActions {
  readonly state: PinState;
  readonly pins: readonly Pin[];
  /** No further token can be pinned. */
  readonly isFull: boolean;
}

/** What it takes to keep the pins of every conversation in step with the server and the address. */
interface PinKeeping {
  readonly unsaved: readonly UnsavedPins[];
  /** Is to be said of a conversation before it is opened, with the pins that an address names, if any. */
  readonly visit: (conversationId: string, named: PinnedIds) => void;
  readonly markSaved: (conversationId: string, pins: PinnedIds) => void;
  readonly forget: (conversationId: string) => void;
}

const PinsContext = createContext<Pins | null>(null);
const KeepingContext = createContext<PinKeeping | null>(null);

export function PinsProvider({ children }: { readonly children: ReactNode }) {
  const chat = useChat(useShallow(pinnedChat));
  const [kept, setKept] = useState(NO_HELD_PINS);
  // While rendering, so that no one ever sees a conversation with the pins of another.
  const all = followed(kept, chat);
  if (all !== kept) setKept(all);

  const actions = useMemo(() => {
    const change = (how: (before: PinState) => PinState): void => setKept((before) => changed(before, how));
    const pinning: PinActions = {
      pin: (tokens) => change((before) => tokens.reduce(withToken, before)),
      unpin: (tokenId) => change((before) => withoutToken(before, tokenId)),
      remove: (slot) => change((before) => withoutPin(before, slot)),
      combine: (slots) => change((before) => withSum(before, slots)),
      split: (slot) => change((before) => withSplit(before, slot)),
      pinPosition: (position) => change((before) => withPosition(before, position)),
      unpinPosition: (position) => change((before) => withoutPosition(before, position)),
      clear: () => change(() => NO_PINS),
    };
    const keeping: Omit<PinKeeping, "unsaved"> = {
      visit: (id, named) => setKept((before) => visited(before, id, named)),
      markSaved: (id, pins) => setKept((before) => saved(before, id, pins)),
      forget: (id) => setKept((before) => forgotten(before, id)),
    };
    return { pinning, keeping };
  }, []);
  const state = useNamedPins(shownPins(all));
  const value = useMemo<Pins>(
    () => ({
      ...actions.pinning,
      state,
      pins: state.pins,
      isFull: countTokens(state.pins) >= MAX_PINNED_TOKENS,
    }),
    [actions, state],
  );
  const keeping = useMemo(() => ({ ...actions.keeping, unsaved: unsavedPins(all) }), [actions, all]);
  return (
    <KeepingContext value={keeping}>
      <PinsContext value={value}>{children}</PinsContext>
    </KeepingContext>
  );
}

export function usePins(): Pins {
  const value = use(PinsContext);
  if (value === null) throw new Error("usePins needs a PinsProvider above it");
  return value;
}

export function usePinKeeping(): PinKeeping {
  const value = use(KeepingContext);
  if (value === null) throw new Error("usePinKeeping needs a PinsProvider above it");
  return value;
}
