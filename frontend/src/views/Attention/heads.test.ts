import { describe, expect, test } from "vitest";
import { madeUpAttention } from "@/test/attentionData";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { blocksOfRequests } from "@/reading/attentionRequests";
import { headValue, outstanding, scopeOf, sourceScale } from "./heads";
import { messagesUpTo } from "./messages";

const tokens = madeUpTokens(12);
const rows = madeUpAttention(tokens, { position: 2, kind: "weight", foil: "best" });
const EXACT = {
  ...rows,
  blocks: [1, 3],
  n_heads: 2,
  values: [
    [
      [0.9, 0.02, 0.08],
      [0.5, 0.25, 0.25],
    ],
    [
      [0.2, 0.1, 0.7],
      [0.1, 0.6, 0.3],
    ],
  ],
  without_pattern: [2],
};

describe("the colour of a head", () => {
  test("leaves the first token out of weights and lengths, as a sum or as the largest", () => {
    expect(headValue(EXACT, 1, 1, "outside")).toBeCloseTo(0.9);
    expect(headValue(EXACT, 1, 1, "largest")).toBeCloseTo(0.6);
    expect(headValue({ ...EXACT, kind: "norm" }, 0, 0, "outside")).toBeCloseTo(0.1);
  });

  test("is the whole of a contribution, whatever is chosen for the others", () => {
    expect(headValue({ ...EXACT, kind: "logit" }, 0, 0, "outside")).toBeCloseTo(1);
    expect(headValue({ ...EXACT, kind: "logit" }, 0, 0, "largest")).toBeCloseTo(1);
  });
});

test("what stands out is neither the first token nor the position that reads", () => {
  expect(outstanding(EXACT)).toEqual({ block: 3, head: 1, source: 1, value: 0.6 });
});

test("the scale leaves the first token out, unless it is wanted or all that there is", () => {
  expect(sourceScale([0.9, 0.1, 0.2], false)).toBe(0.2);
  expect(sourceScale([0.9, 0.1, 0.2], true)).toBe(0.9);
  expect(sourceScale([0.9], false)).toBe(0.9);
  expect(sourceScale([0.9, 0], false)).toBe(1);
});

test("a head that these rows do not have is its block, and a block without attention is all heads", () => {
  const head = { kind: "head", index: 2, head: 7, second: null } as const;
  expect(scopeOf({ ...head, block: 3, head: 1 }, EXACT)).toEqual({ kind: "head", block: 3, head: 1 });
  expect(scopeOf({ ...head, block: 3 }, EXACT)).toEqual({ kind: "block", block: 3 });
  expect(scopeOf({ ...head, block: 2 }, EXACT)).toEqual({ kind: "all" });
  expect(scopeOf({ kind: "layer", index: 2, layer: 3 }, EXACT)).toEqual({ kind: "all" });
});

test("a long text of a large model is read in several requests, each within what one answer holds", () => {
  expect(blocksOfRequests({ num_layers: 12, num_heads: 12 }, 1024)).toEqual([null]);
  const requests = blocksOfRequests({ num_layers: 34, num_heads: 16 }, 4096);
  expect(requests.flat()).toEqual(Array.from({ length: 34 }, (_, block) => block + 1));
  expect(requests.map((blocks) => blocks?.length)).toEqual([15, 15, 4]);
});

test("each token up to the position belongs to one message, the later turns to their own", () => {
  const timeline = madeUpTimeline(tokens, "messages");
  const [turn] = timeline.turns;
  if (turn === undefined) throw new Error("no turn");
  const second = { ...turn, promptStart: 10, replyStart: 12 };
  const roles = ["system", "system", "user", "user", "template", "assistant"] as const;
  const shown = tokens.map((token, index) => ({
    ...token,
    role: index >= 10 ? ("user" as const) : (roles[index] ?? ("assistant" as const)),
    special: index === 0,
  }));
  const found = messagesUpTo({ ...timeline, tokens: shown, turns: [turn, second] }, 10);
  expect(found).toEqual([
    { name: "First token", indices: [0] },
    { name: "System", indices: [1] },
    { name: "User 1", indices: [2, 3] },
    { name: "Assistant 1", indices: [5, 6, 7, 8, 9] },
    { name: "User 2", indices: [10] },
    { name: "Template", indices: [4] },
  ]);
});
