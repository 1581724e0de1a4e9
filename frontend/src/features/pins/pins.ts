/**
 * What is followed over the layers in one conversation: pinned tokens, each a line of its own or
 * several added up, and pinned positions.
 */

export interface PinnedToken {
  readonly id: number;
  /** Null until the server has told it, as for a token that came from the page's address. */
  readonly text: string | null;
}

/** One line: a token, or several whose probabilities are added up. */
export interface Pin {
  /** Decides colour and mark; stays the same while other pins come and go. */
  readonly slot: number;
  readonly tokens: readonly PinnedToken[];
}

export interface PinnedPosition {
  /** Decides the dash. Slot 0 is kept for the selected position. */
  readonly slot: number;
  /** Where the residual stream is read; what is predicted stands one index further on. */
  readonly position: number;
}

export interface PinState {
  readonly pins: readonly Pin[];
  readonly positions: readonly PinnedPosition[];
}

/** The same as ids alone, as the server keeps it and an address names it. */
export interface PinnedIds {
  readonly token_ids: readonly (readonly number[])[];
  readonly positions: readonly number[];
}

/** As many as there are colours that can be told apart. */
export const MAX_PINNED_TOKENS = 8;
/** Why no further token can be pinned. */
export const PINS_ARE_FULL = `${MAX_PINNED_TOKENS} tokens are pinned, as many as there are colours for. Unpin one in Trajectories first.`;
/** Besides the selected one: with it, as many as there are dashes that can be told apart. */
export const MAX_PINNED_POSITIONS = 5;

export const NO_PINS: PinState = { pins: [], positions: [] };

export const idsOf = (pin: Pin): number[] => pin.tokens.map((token) => token.id);

export const countTokens = (pins: readonly Pin[]): number =>
  pins.reduce((count, pin) => count + pin.tokens.length, 0);

export const isPinned = (pins: readonly Pin[], id: number): boolean =>
  pins.some((pin) => pin.tokens.some((token) => token.id === id));

const freeSlot = (taken: readonly { readonly slot: number }[], first: number): number => {
  let slot = first;
  while (taken.some((each) => each.slot === slot)) slot += 1;
  return slot;
};

/** The same state where the token is pinned already, or where there is no room. */
export function withToken(state: PinState, token: PinnedToken): PinState {
  if (isPinned(state.pins, token.id) || countTokens(state.pins) >= MAX_PINNED_TOKENS) return state;
  return { ...state, pins: [...state.pins, { slot: freeSlot(state.pins, 0), tokens: [token] }] };
}

/** Takes a token out, also out of a sum. */
export function withoutToken(state: PinState, id: number): PinState {
  if (!isPinned(state.pins, id)) return state;
  return {
    ...state,
    pins: state.pins
      .map((pin) => ({ ...pin, tokens: pin.tokens.filter((token) => token.id !== id) }))
      .filter((pin) => pin.tokens.length > 0),
  };
}

export const withoutPin = (state: PinState, slot: number): PinState => ({
  ...state,
  pins: state.pins.filter((pin) => pin.slot !== slot),
});

/** Makes one sum of the pins of these slots, at the place of the first; the same state for fewer than two. */
export function withSum(state: PinState, slots: readonly number[]): PinState {
  const chosen = state.pins.filter((pin) => slots.includes(pin.slot));
  const [first] = chosen;
  if (first === undefined || chosen.length < 2) return state;
  const sum: Pin = { slot: first.slot, tokens: chosen.flatMap((pin) => pin.tokens) };
  return {
    ...state,
    pins: state.pins
      .filter((pin) => pin === first || !chosen.includes(pin))
      .map((pin) => (pin === first ? sum : pin)),
  };
}

/** Gives each token of a sum a line of its own again. */
export function withSplit(state: PinState, slot: number): PinState {
  const pins: Pin[] = [];
  const others = state.pins.filter((pin) => pin.slot !== slot);
  for (const pin of state.pins) {
    if (pin.slot !== slot) pins.push(pin);
    else {
      pin.tokens.forEach((token, i) => {
        pins.push({ slot: i === 0 ? slot : freeSlot([...others, ...pins], 0), tokens: [token] });
      });
    }
  }
  return { ...state, pins };
}

/** The same state where the position is pinned already, or where there is no room. */
export function withPosition(state: PinState, position: number): PinState {
  const { positions } = state;
  if (positions.length >= MAX_PINNED_POSITIONS || positions.some((each) => each.position === position)) {
    return state;
  }
  return {
    ...state,
    positions: [...positions, { slot: freeSlot(positions, 1), position }].sort(
      (a, b) => a.position - b.position,
    ),
  };
}

export const withoutPosition = (state: PinState, position: number): PinState => ({
  ...state,
  positions: state.positions.filter((each) => each.position !== position),
});

/** All tokens, and the positions before this index; the same state where nothing falls away. */
export function pinsBefore(state: PinState, end: number): PinState {
  const positions = state.positions.filter((each) => each.position < end);
  return positions.length === state.positions.length ? state : { ...state, positions };
}

/** With the texts of those of which they are told; the same state where none is. */
export function withTexts(state: PinState, texts: ReadonlyMap<number, string>): PinState {
  const isTold = ({ id, text }: PinnedToken): boolean => text === null && texts.has(id);
  if (!state.pins.some((pin) => pin.tokens.some(isTold))) return state;
  const named = ({ id, text }: PinnedToken): PinnedToken => ({ id, text: text ?? texts.get(id) ?? null });
  return { ...state, pins: state.pins.map((pin) => ({ ...pin, tokens: pin.tokens.map(named) })) };
}

/** The same of ids alone. */
export const idsBefore = ({ token_ids, positions }: PinnedIds, end: number): PinnedIds => ({
  token_ids,
  positions: positions.filter((position) => position < end),
});

export const pinnedIds = (state: PinState): PinnedIds => ({
  token_ids: state.pins.map(idsOf),
  positions: state.positions.map((each) => each.position),
});

/** These ids, after what is pinned `before`; what is beyond the limits, or said twice, is left out. */
export function restoredPins({ token_ids, positions }: PinnedIds, before: PinState = NO_PINS): PinState {
  let state = before;
  for (const ids of token_ids) {
    const taken = state.pins.map((pin) => pin.slot);
    for (const id of ids) state = withToken(state, { id, text: null });
    state = withSum(
      state,
      state.pins.map((pin) => pin.slot).filter((slot) => !taken.includes(slot)),
    );
  }
  return positions.reduce(withPosition, state);
}

const isIn = (list: readonly unknown[], item: unknown): boolean =>
  list.some((each) => JSON.stringify(each) === JSON.stringify(item));

const besides = <T>(list: readonly T[], ...others: (readonly T[])[]): T[] =>
  list.filter((item) => !others.some((other) => isIn(other, item)));

/**
 * What is to be kept of the pins `now` on this page: after them those that the server holds and this
 * page has not `saved`, since another has pinned them, as far as a page can show them. What this page
 * has saved and no longer has goes.
 */
export const pinsToKeep = (now: PinnedIds, held: Partial<PinnedIds>, saved: PinnedIds): PinnedIds =>
  pinnedIds(
    restoredPins({
      token_ids: [...now.token_ids, ...besides(held.token_ids ?? [], saved.token_ids, now.token_ids)],
      positions: [...now.positions, ...besides(held.positions ?? [], saved.positions, now.positions)],
    }),
  );
