import { describe, expect, test } from "vitest";
import {
  MAX_PINNED_POSITIONS,
  MAX_PINNED_TOKENS,
  NO_PINS,
  type PinState,
  idsOf,
  isPinned,
  pinnedIds,
  pinsBefore,
  pinsToKeep,
  restoredPins,
  withPosition,
  withSplit,
  withSum,
  withToken,
  withoutPin,
  withoutPosition,
  withoutToken,
} from "./pins";

const pinned = (...ids: readonly number[]): PinState =>
  ids.reduce((state, id) => withToken(state, { id, text: `t${id}` }), NO_PINS);
const shape = (state: PinState) => state.pins.map((pin) => [pin.slot, idsOf(pin)]);

describe("tokens", () => {
  test("a token is pinned once, and no more than there are colours for", () => {
    const state = pinned(5, 6);
    expect(shape(state)).toEqual([
      [0, [5]],
      [1, [6]],
    ]);
    expect(withToken(state, { id: 5, text: null })).toBe(state);
    const full = pinned(...Array.from({ length: MAX_PINNED_TOKENS }, (_, i) => i));
    expect(full.pins).toHaveLength(MAX_PINNED_TOKENS);
    expect(withToken(full, { id: 99, text: null })).toBe(full);
  });

  test("the others keep their colours when one goes, and the next one takes the free colour", () => {
    const state = withoutToken(pinned(5, 6, 7), 6);
    expect(shape(state)).toEqual([
      [0, [5]],
      [2, [7]],
    ]);
    expect(shape(withToken(state, { id: 8, text: null })).at(-1)).toEqual([1, [8]]);
  });
});

describe("sums", () => {
  test("several pins become one at the place of the first, and single ones again", () => {
    const sum = withSum(pinned(5, 6, 7), [2, 0]);
    expect(shape(sum)).toEqual([
      [0, [5, 7]],
      [1, [6]],
    ]);
    expect(isPinned(sum.pins, 7)).toBe(true);
    expect(shape(withSplit(sum, 0))).toEqual([
      [0, [5]],
      [2, [7]],
      [1, [6]],
    ]);
  });

  test("one pin alone is no sum", () => {
    const state = pinned(5, 6);
    expect(withSum(state, [1])).toBe(state);
    expect(withSum(state, [1, 9])).toBe(state);
  });

  test("a token can leave a sum, and a sum can go as a whole", () => {
    const sum = withSum(pinned(5, 6, 7), [0, 2]);
    expect(shape(withoutToken(sum, 5))).toEqual([
      [0, [7]],
      [1, [6]],
    ]);
    expect(shape(withoutPin(sum, 0))).toEqual([[1, [6]]]);
  });
});

describe("positions", () => {
  test("are in the order of the text, keep their dashes, and leave the solid line to the selected one", () => {
    const state = withPosition(withPosition(NO_PINS, 9), 4);
    expect(state.positions).toEqual([
      { slot: 2, position: 4 },
      { slot: 1, position: 9 },
    ]);
    expect(withoutPosition(state, 9).positions).toEqual([{ slot: 2, position: 4 }]);
  });

  test("those in the text that a branch shares are taken over, with their dashes", () => {
    const state = withPosition(withPosition(pinned(5), 9), 4);
    expect(pinsBefore(state, 9)).toEqual({ ...pinned(5), positions: [{ slot: 2, position: 4 }] });
    expect(pinsBefore(state, 10)).toBe(state);
  });

  test("are not more than there are dashes for", () => {
    let state = NO_PINS;
    for (let position = 0; position < 9; position += 1) state = withPosition(state, position);
    expect(state.positions).toHaveLength(MAX_PINNED_POSITIONS);
  });
});

test("ids bring tokens, sums and positions back; what is said twice is left out", () => {
  const state = restoredPins({ token_ids: [[5], [6, 7], [5]], positions: [9, 4] });
  expect(shape(state)).toEqual([
    [0, [5]],
    [1, [6, 7]],
  ]);
  expect(pinnedIds(state)).toEqual({ token_ids: [[5], [6, 7]], positions: [4, 9] });
});

test("ids are added to what is pinned, which keeps its texts and colours", () => {
  const state = withPosition(withoutToken(pinned(5, 6), 5), 9);
  expect(restoredPins({ token_ids: [[6]], positions: [9] }, state)).toBe(state);
  const more = restoredPins({ token_ids: [[6], [7, 8]], positions: [4] }, state);
  expect(more.pins[0]).toBe(state.pins[0]);
  expect(shape(more)).toEqual([
    [1, [6]],
    [0, [7, 8]],
  ]);
  expect(more.positions.map((each) => each.position)).toEqual([4, 9]);
});

describe("what is kept with a conversation", () => {
  const pins = (token_ids: number[][], positions: number[] = []) => ({ token_ids, positions });
  const shown = pins([[1], [2, 3]], [4]);
  test("is what the page shows, in its order, where nobody else has pinned", () => {
    expect(pinsToKeep(pins([[2, 3], [1]], [4]), shown, shown)).toEqual(pins([[2, 3], [1]], [4]));
    expect(pinsToKeep(pins([]), shown, shown)).toEqual(pins([]));
    expect(pinsToKeep(pins([[5]]), {}, shown)).toEqual(pins([[5]]));
  });
  test("has what another page has pinned besides, and not what this one let go", () => {
    const held = pins([[1], [2, 3], [9]], [4, 8]);
    expect(pinsToKeep(pins([[1]]), held, shown)).toEqual(pins([[1], [9]], [8]));
  });
  test("a sum is a pin of its own", () => {
    expect(pinsToKeep(pins([[1, 2]]), pins([[1], [2]]), pins([[1], [2]]))).toEqual(pins([[1, 2]]));
    expect(pinsToKeep(pins([[1]]), pins([[1, 2]]), pins([[1, 2]]))).toEqual(pins([[1]]));
  });
  test("has once what both pages have pinned", () => {
    expect(pinsToKeep(pins([[1], [5]]), pins([[1], [5]]), pins([[1]]))).toEqual(pins([[1], [5]]));
  });
  test("is no more than a page can show, its own first", () => {
    const own = pins([[1], [2], [3], [4], [5]], [1, 3, 5, 7]);
    const others = pins([[6], [7], [8], [9], [10]], [2, 4]);
    expect(pinsToKeep(own, others, pins([]))).toEqual(
      pins([[1], [2], [3], [4], [5], [6], [7], [8]], [1, 2, 3, 5, 7]),
    );
  });
  test("names no token twice", () => {
    expect(pinsToKeep(pins([[1]]), pins([[1, 2]]), pins([]))).toEqual(pins([[1], [2]]));
  });
});
