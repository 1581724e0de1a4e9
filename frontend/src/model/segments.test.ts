import { expect, test } from "vitest";
import { PROMPT, token } from "@/test/recordedStream";
import { segmentsOf, stepToken } from "./segments";
import type { Timeline } from "./timeline";

const turn = { userText: null, seed: null, finish: null };
const TIMELINE: Timeline = {
  conversationId: "c1",
  model: null,
  status: "settled",
  tokens: [
    ...PROMPT,
    token(6, " Hi", "assistant"),
    token(7, "\n", "template"),
    token(8, "User:", "template"),
    token(9, " Bye", "user"),
    token(10, "\n", "template"),
    token(11, "Assistant:", "template"),
    token(12, " Bye", "assistant"),
  ],
  turns: [
    { ...turn, promptStart: 0, replyStart: 6 },
    { ...turn, promptStart: 7, replyStart: 12 },
  ],
};

test("every token is shown once, in order, with the template's names beside what they introduce", () => {
  const segments = segmentsOf(TIMELINE);
  expect(segments.map(({ kind, start, end }) => [kind, start, end])).toEqual([
    ["prompt", 0, 4],
    ["reply", 4, 8],
    ["prompt", 8, 11],
    ["reply", 11, 13],
  ]);
});

test("raw text is cut exactly where the reply begins", () => {
  const tokens = [token(0, "One", "user"), token(1, "\n", "user"), token(2, " two", "assistant")];
  const segments = segmentsOf({ ...TIMELINE, tokens, turns: [{ ...turn, promptStart: 0, replyStart: 2 }] });
  expect(segments.map(({ start, end }) => [start, end])).toEqual([
    [0, 2],
    [2, 3],
  ]);
});

test("steps pass over a folded template and stop at the ends", () => {
  expect(stepToken(TIMELINE, true, 2, 1)).toBe(3);
  expect(stepToken(TIMELINE, false, 2, 1)).toBe(6);
  expect(stepToken(TIMELINE, false, 2, -1)).toBe(2);
  expect(stepToken(TIMELINE, true, 12, 1)).toBe(12);
  expect(stepToken(TIMELINE, false, null, 1)).toBe(2);
});
