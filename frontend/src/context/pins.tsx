/** What is pinned to be followed over the layers, shared by every view: tokens, sums of them, and positions. */
import { type ReactNode, createContext, use, useMemo, useState } from "react";
import {
  MAX_PINNED_TOKENS,
  NO_PINS,
  type Pin,
  type PinState,
  type PinnedToken,
  countTokens,
  restoredPins,
  withPosition,
  withSplit,
  withSum,
  withToken,
  withoutPin,
  withoutPosition,
  withoutToken,
} from "@/lib/pins";

interface PinActions {
  readonly pin: (tokens: readonly PinnedToken[]) => void;
  readonly unpin: (tokenId: number) => void;
  /** Removes a line, with every token of a sum. */
  readonly remove: (slot: number) => void;
  readonly combine: (slots: readonly number[]) => void;
  readonly split: (slot: number) => void;
  readonly pinPosition: (conversationId: string, position: number) => void;
  readonly unpinPosition: (position: number) => void;
  readonly clear: () => void;
  /** Replaces everything by what an address names. */
  readonly restore: (
    conversationId: string | null,
    pins: readonly (readonly number[])[],
    positions: readonly number[],
  ) => void;
}

export interface Pins extends PinActions {
  readonly state: PinState;
  readonly pins: readonly Pin[];
  /** No further token can be pinned. */
  readonly isFull: boolean;
}

const PinsContext = createContext<Pins | null>(null);

export function PinsProvider({ children }: { readonly children: ReactNode }) {
  const [state, setState] = useState(NO_PINS);
  const actions = useMemo<PinActions>(
    () => ({
      pin: (tokens) => setState((before) => tokens.reduce(withToken, before)),
      unpin: (tokenId) => setState((before) => withoutToken(before, tokenId)),
      remove: (slot) => setState((before) => withoutPin(before, slot)),
      combine: (slots) => setState((before) => withSum(before, slots)),
      split: (slot) => setState((before) => withSplit(before, slot)),
      pinPosition: (conversationId, position) =>
        setState((before) => withPosition(before, conversationId, position)),
      unpinPosition: (position) => setState((before) => withoutPosition(before, position)),
      clear: () => setState(NO_PINS),
      restore: (conversationId, pins, positions) => setState(restoredPins(conversationId, pins, positions)),
    }),
    [],
  );
  const value = useMemo<Pins>(
    () => ({
      ...actions,
      state,
      pins: state.pins,
      isFull: countTokens(state.pins) >= MAX_PINNED_TOKENS,
    }),
    [actions, state],
  );
  return <PinsContext value={value}>{children}</PinsContext>;
}

export function usePins(): Pins {
  const value = use(PinsContext);
  if (value === null) throw new Error("usePins needs a PinsProvider above it");
  return value;
}
