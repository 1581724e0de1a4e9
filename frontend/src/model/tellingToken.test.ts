import { expect, test } from "vitest";
import { token } from "@/test/recordedStream";
import { tellingToken } from "./tellingToken";
import type { LayerReadout, Token } from "./timeline";

const ranked = (...ranks: number[]): LayerReadout[] =>
  ranks.map((rank, layer) => ({
    layer,
    label: `${layer}`,
    predictions: [],
    entropy_nats: 1,
    kl_to_final_nats: 1,
    actual: { rank, probability: 0.5 },
  }));

const timeline = (...reply: (readonly [string, LayerReadout[] | null])[]) => {
  const prompt = ["The", " capital", " of", " Spain", " is"].map((text, i) => token(i, text, "user"));
  const tokens: Token[] = [
    ...prompt,
    ...reply.map(([text, lens], i) => token(prompt.length + i, text, "assistant", { lens })),
  ];
  return { tokens, turns: [{ promptStart: 0, replyStart: 5, userText: null, seed: null, finish: null }] };
};

test("it is the word decided latest of those that were not asked with", () => {
  const reply = timeline(
    [" Capital", ranked(4, 3, 2, 1)],
    [" Madrid", ranked(9, 8, 1, 1)],
    [" now", ranked(5, 1, 1, 1)],
    [".", ranked(7, 7, 7, 1)],
  );
  expect(tellingToken(reply)).toEqual({ index: 6, decided: 2 });
});

test("of words decided at the same layer it is the last, and one that was not read comes after all others", () => {
  expect(tellingToken(timeline([" one", ranked(2, 1)], [" two", ranked(2, 1)]))?.index).toBe(6);
  expect(tellingToken(timeline([" one", ranked(1, 1)], [" two", null]))).toEqual({ index: 5, decided: 0 });
  expect(tellingToken(timeline([" one", null], [" two", null]))).toEqual({ index: 6, decided: null });
});

test("a reply of words that were asked with, or of marks alone, has one as well, and an empty one has none", () => {
  expect(tellingToken(timeline([" Spain", ranked(2, 1)], ["!", ranked(3, 2)]))?.index).toBe(5);
  expect(tellingToken(timeline(["…", ranked(2, 1)], ["!", null]))?.index).toBe(5);
  expect(tellingToken(timeline())).toBeNull();
});
