import { act, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, test } from "vitest";
import { parseAddress } from "@/features/address/address";
import { MADE_UP, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { branch } from "@/test/saved";
import { chosenBranch, otherBranches } from "./branchesBeside";
import { takeFresh, usePair, useShownPair, visitPair, withoutPair } from "./pair";
import { otherRequest, proposedB, withReplyOf } from "./pairSide";
import { usePromptText } from "./promptText";

const BRANCHES = otherBranches(
  [
    branch("first", { updated_at_ms: 1, preview: " one " }),
    branch("own", { updated_at_ms: 9 }),
    branch("last", { updated_at_ms: 5, name: "Berlin", from_index: 7 }),
  ],
  "own",
);

describe("B", () => {
  test("is another branch where none is set, the last written first", () => {
    expect(BRANCHES.map(({ id }) => id)).toEqual(["last", "first"]);
    expect(BRANCHES.map(({ label }) => label)).toEqual(["3 · Berlin · from 7", "1 · one"]);
    expect(proposedB(BRANCHES)).toEqual({ kind: "branch", id: null });
    expect(otherRequest({ kind: "branch", id: null }, BRANCHES, null)).toEqual({
      kind: "conversation",
      id: "last",
    });
  });
  test("is a changed prompt without one, and nothing is read before it is asked for", () => {
    expect(proposedB([])).toEqual({ kind: "prompt" });
    expect(otherRequest({ kind: "prompt" }, [], null)).toBeNull();
    expect(otherRequest({ kind: "prompt" }, [], { prompt: "Hello" })).toEqual({
      kind: "text",
      text: { prompt: "Hello" },
    });
  });
  test("is what was chosen, for as long as there is such a branch", () => {
    expect(chosenBranch("first", BRANCHES)?.id).toBe("first");
    expect(chosenBranch("gone", BRANCHES)?.id).toBe("last");
    expect(otherRequest({ kind: "branch", id: null }, [], null)).toBeNull();
    expect(otherRequest({ kind: "saved", id: null }, BRANCHES, null)).toBeNull();
    expect(otherRequest({ kind: "saved", id: "s" }, BRANCHES, null)).toEqual({
      kind: "conversation",
      id: "s",
    });
    expect(otherRequest({ kind: "same" }, BRANCHES, null)).toEqual({ kind: "same" });
  });
});

test("a reply that is appended has none of the scores that it had after its own prompt", () => {
  const tokens = madeUpTokens(12).map((token) => ({ ...token, logprob_nats: -1, rank: 1, entropy_nats: 2 }));
  const timeline = madeUpTimeline(tokens, "with-reply");
  const other = tokens.slice(0, 5);
  const source = { token_ids: other.map(({ id }) => id) };
  const side = withReplyOf({ source, tokens: other, model: MADE_UP, title: null }, timeline);
  const ids = [...other, ...tokens.slice(9)].map(({ id }) => id);
  expect(side.source).toEqual({ token_ids: ids });
  expect(side.tokens.map(({ index }) => index)).toEqual(ids.map((_, index) => index));
  for (const token of side.tokens) {
    expect(token).toMatchObject({ logprob_nats: null, rank: null, entropy_nats: null, lens: null });
  }
});

describe("the pair", () => {
  beforeEach(() => window.localStorage.clear());

  test.each([
    ["prompt", { kind: "prompt" }],
    ["same", { kind: "same" }],
    ["branch", { kind: "branch", id: null }],
    ["branch.b-1", { kind: "branch", id: "b-1" }],
    ["saved.z0Jj_-", { kind: "saved", id: "z0Jj_-" }],
  ] as const)("stands in the address as %s", (text, b) => {
    visitPair({ vs: text }, "one");
    expect(renderHook(() => usePair("one")).result.current.vs).toEqual(b);
    visitPair({}, "one");
    const { result } = renderHook(() => usePair("one"));
    act(() => result.current.change({ vs: b }));
    expect(renderHook(() => useShownPair()).result.current).toEqual({ vs: text });
  });
  test.each(["prompt.x", "same.x", "other", "saved.<b>", ""])("is none where an address says %j", (text) => {
    visitPair({ vs: text }, "one");
    expect(renderHook(() => usePair("one")).result.current.vs).toBeNull();
  });
  test("belongs to one conversation, is not kept for others, and can be ended", () => {
    const { result } = renderHook(() => usePair("one"));
    act(() => result.current.change({ vs: { kind: "same" }, lensB: "tuned" }));
    expect(renderHook(() => usePair("two")).result.current).toMatchObject({ vs: null, lensB: null });
    act(() => result.current.change({ vs: { kind: "same" }, lensB: "tuned" }));
    act(() => result.current.end());
    expect(result.current).toMatchObject({ vs: null, lensB: null });
    expect(JSON.stringify(Object.entries(window.localStorage))).not.toContain("same");
  });
  test("is new once after it was set by hand, and not when an address names it", () => {
    const { result } = renderHook(() => usePair("new"));
    act(() => visitPair({ vs: "same" }, "new"));
    expect(takeFresh("new")).toBe(false);
    act(() => result.current.change({ vs: { kind: "same" } }));
    expect([takeFresh("new"), takeFresh("new")]).toEqual([true, false]);
  });
  test("has names of its own in the address", () => {
    expect(parseAddress("?c=one&vs=saved.two&lensB=tuned&reply=forced").choices).toEqual({
      vs: "saved.two",
      lensB: "tuned",
      reply: "forced",
    });
  });
  test("leaves the other choices of an address alone", () => {
    expect(withoutPair({ vs: "same", lensB: "tuned", rows: "one" })).toEqual({ rows: "one" });
  });
});

test("the changed prompt is kept for the tab, by conversation, and never in the browser's lasting storage", () => {
  const { result } = renderHook(() => usePromptText("three"));
  act(() => result.current[1]({ draft: "secret", asked: { prompt: "secret" } }));
  expect(renderHook(() => usePromptText("three")).result.current[0]).toEqual({
    draft: "secret",
    asked: { prompt: "secret" },
  });
  expect(renderHook(() => usePromptText("four")).result.current[0].draft).toBeNull();
  expect(JSON.stringify(Object.entries(window.localStorage))).not.toContain("secret");
  expect(JSON.stringify(Object.entries(window.sessionStorage))).toContain("secret");
});
