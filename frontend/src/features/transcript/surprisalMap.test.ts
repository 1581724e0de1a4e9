import { expect, test } from "vitest";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { nearestIn, strongestIn, surprisingTokens } from "./surprisalMap";

const tokens = [
  { index: 3, nats: 1 },
  { index: 4, nats: 7 },
  { index: 5, nats: 2 },
];

test("each stretch of the text has its most surprising token, and a token that is not drawn has none", () => {
  const places: Record<number, number> = { 3: 0, 4: 0.1, 5: 1 };
  expect(strongestIn([...tokens, { index: 6, nats: 9 }], 4, (index) => places[index] ?? null)).toEqual([
    { index: 4, nats: 7 },
    null,
    null,
    { index: 5, nats: 2 },
  ]);
});

test("a press between two stretches goes to the nearer one that has tokens", () => {
  const bins = [{ index: 4, nats: 7 }, null, null, { index: 5, nats: 2 }];
  expect(nearestIn(bins, 1)?.index).toBe(4);
  expect(nearestIn(bins, 2)?.index).toBe(5);
  expect(nearestIn([null, null], 1)).toBeNull();
});

test("only replies of 200 tokens or more have a map", () => {
  const long = madeUpTimeline(madeUpTokens(230), "long");
  const scored = {
    ...long,
    tokens: long.tokens.map((token) =>
      token.role === "assistant" ? { ...token, logprob_nats: -token.index / 100 } : token,
    ),
  };
  const found = surprisingTokens(scored);
  expect(found.length).toBeGreaterThanOrEqual(200);
  expect(found.every(({ index, nats }) => nats === index / 100)).toBe(true);
  expect(surprisingTokens({ ...scored, tokens: scored.tokens.slice(0, 150) })).toEqual([]);
});
