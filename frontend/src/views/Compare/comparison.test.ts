import { act, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { storedName } from "@/base/stored";
import { useShownChoices, visitChoices } from "@/features/choices/choices";
import { MADE_UP, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { branch } from "@/test/saved";
import { type CompareChoices, useCompareChoices } from "./choices";
import {
  chosenBranch,
  layerPairs,
  otherBranches,
  otherKind,
  otherRequest,
  rowLabel,
  rowsInUse,
  withReplyOf,
} from "./comparison";

const NONE: CompareChoices = {
  withReply: true,
  other: null,
  branchId: null,
  savedId: null,
  rows: null,
  layerA: null,
  layerB: null,
  lensB: null,
  difference: "js",
  tokenId: null,
  hasTable: false,
};
const BRANCHES = otherBranches(
  [
    branch("first", { updated_at_ms: 1, preview: " one " }),
    branch("own", { updated_at_ms: 9 }),
    branch("last", { updated_at_ms: 5, name: "Berlin", from_index: 7 }),
  ],
  "own",
);

describe("what stands beside the conversation", () => {
  test("with another branch, that one, the last written first", () => {
    expect(BRANCHES.map(({ id }) => id)).toEqual(["last", "first"]);
    expect(BRANCHES.map(({ label }) => label)).toEqual(["3 · Berlin · from 7", "1 · one"]);
    expect(otherKind(NONE, BRANCHES)).toBe("branch");
    expect(otherRequest(NONE, BRANCHES, null)).toEqual({ kind: "conversation", id: "last" });
  });
  test("without one, a prompt, and nothing before it is asked for", () => {
    expect(otherKind(NONE, [])).toBe("prompt");
    expect(otherRequest(NONE, [], null)).toBeNull();
    expect(otherRequest(NONE, [], { prompt: "Hello" })).toEqual({ kind: "text", text: { prompt: "Hello" } });
  });
  test("what was chosen, for as long as there is such a branch", () => {
    const chosen = { ...NONE, branchId: "first" };
    expect(chosenBranch(chosen, BRANCHES)?.id).toBe("first");
    expect(chosenBranch({ ...NONE, branchId: "gone" }, BRANCHES)?.id).toBe("last");
    expect(otherRequest({ ...NONE, other: "branch" }, [], null)).toBeNull();
    expect(otherRequest({ ...NONE, other: "saved" }, BRANCHES, null)).toBeNull();
    expect(otherRequest({ ...NONE, other: "saved", savedId: "s" }, BRANCHES, null)).toEqual({
      kind: "conversation",
      id: "s",
    });
    expect(otherRequest({ ...NONE, other: "same" }, BRANCHES, null)).toEqual({ kind: "same" });
  });
});

describe("the layers", () => {
  const logit = { a: "logit", b: "logit" } as const;
  test("are each with itself, but a conversation beside itself is read at another one", () => {
    expect(rowsInUse(NONE, "branch", logit)).toBe("each");
    expect(rowsInUse(NONE, "same", logit)).toBe("fixed");
    expect(rowsInUse(NONE, "same", { a: "logit", b: "tuned" })).toBe("each");
    expect(rowsInUse({ ...NONE, rows: "one" }, "same", logit)).toBe("one");
  });
  test("are pairs from the embedding up, the output where none was chosen", () => {
    expect(layerPairs("each", NONE, 2)).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
    expect(layerPairs("fixed", { layerA: 0, layerB: 1 }, 2)).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
    ]);
    expect(layerPairs("one", { layerA: 0, layerB: null }, 2)).toEqual([[0, 2]]);
  });
  test("of a model with fewer are those that it has", () => {
    expect(layerPairs("one", { layerA: 40, layerB: 1 }, 2)).toEqual([[2, 1]]);
  });
  test("are named by one number, or by both", () => {
    expect([rowLabel([0, 0], "each"), rowLabel([3, 3], "each"), rowLabel([0, 12], "fixed")]).toEqual([
      "embed",
      "3",
      "0 | 12",
    ]);
  });
});

test("a reply that is appended has none of the scores that it had after its own prompt", () => {
  const tokens = madeUpTokens(12).map((token) => ({ ...token, logprob_nats: -1, rank: 1, entropy_nats: 2 }));
  const timeline = madeUpTimeline(tokens, "with-reply");
  const other = tokens.slice(0, 5);
  const source = { token_ids: other.map(({ id }) => id) };
  const side = withReplyOf({ source, tokens: other, model: MADE_UP }, timeline);
  const ids = [...other, ...tokens.slice(9)].map(({ id }) => id);
  expect(side.source).toEqual({ token_ids: ids });
  expect(side.tokens.map(({ index }) => index)).toEqual(ids.map((_, index) => index));
  for (const token of side.tokens) {
    expect(token).toMatchObject({ logprob_nats: null, rank: null, entropy_nats: null, lens: null });
  }
});

describe("the choices", () => {
  beforeEach(() => window.localStorage.clear());

  test("of a conversation are there again when the view is, and are not another's", () => {
    const first = renderHook(() => useCompareChoices("one"));
    act(() => first.result.current.change({ other: "same", layerB: 3 }));
    act(() => first.result.current.write({ draft: "secret", asked: { prompt: "secret" } }));
    first.unmount();
    const again = renderHook(() => useCompareChoices("one"));
    expect(again.result.current.choices).toMatchObject({ other: "same", layerB: 3 });
    expect(again.result.current.text).toEqual({ draft: "secret", asked: { prompt: "secret" } });
    again.unmount();
    const other = renderHook(() => useCompareChoices("two"));
    expect(other.result.current.choices.other).toBeNull();
    expect(other.result.current.text.draft).toBeNull();
  });
  test("hold no text, and the browser keeps none of it", () => {
    const { result } = renderHook(() => useCompareChoices("three"));
    act(() => result.current.write({ draft: "secret", asked: { prompt: "secret" } }));
    act(() => result.current.change({ difference: "kl_a_to_b", other: "prompt" }));
    expect(JSON.stringify(result.current.choices)).not.toContain("secret");
    expect(JSON.stringify(window.localStorage.getItem(storedName("view-compare")))).not.toContain("secret");
    expect(JSON.parse(window.localStorage.getItem(storedName("view-compare")) ?? "")).toMatchObject({
      difference: "kl_a_to_b",
    });
  });
  test("come from an address, and what is about one conversation is gone with it", () => {
    const texts = {
      other: "same",
      rows: "one",
      layerA: "3",
      layerB: "-1",
      lensB: "tuned",
      tokenId: "7",
      branchId: "<b>",
      difference: "target",
    };
    act(() => visitChoices("compare", texts, "one"));
    const one = renderHook(() => useCompareChoices("one"));
    expect(one.result.current.choices).toEqual({
      ...NONE,
      other: "same",
      rows: "one",
      layerA: 3,
      lensB: "tuned",
      tokenId: 7,
      difference: "target",
    });
    one.unmount();
    const two = renderHook(() => useCompareChoices("two"));
    expect(two.result.current.choices).toEqual({ ...NONE, difference: "target" });
    expect(renderHook(() => useShownChoices("compare")).result.current).toEqual({ difference: "target" });
  });
});
