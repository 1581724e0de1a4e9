import { expect, test } from "vitest";
import { findingsOf } from "./walkthrough";

const layer = (rank: number, probability: number, entropyNats: number) => ({
  label: "",
  rank,
  probability,
  entropyNats,
  leader: null,
});

test("where it was decided, where it rose most, and where most was open", () => {
  const layers = [layer(90, 0, 9), layer(1, 0.1, 3), layer(4, 0.05, 6), layer(1, 0.6, 2), layer(1, 0.7, 1)];
  expect(findingsOf(layers)).toEqual({ decided: 3, rise: 3, widest: 2 });
});

test("a token that is not the output's choice was never decided, and one that only falls never rose", () => {
  expect(findingsOf([layer(1, 0.5, 1), layer(2, 0.4, 2)])).toEqual({ decided: null, rise: null, widest: 1 });
});
