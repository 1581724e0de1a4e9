import { expect, test } from "vitest";
import { madeUpComparison, madeUpLens, madeUpMatches } from "@/test/lensData";
import { LENS, PROMPT, token } from "@/test/recordedStream";
import { bytesOfLossless } from "./bytes";
import { withLosslessMatches, withLosslessPredictions, withLosslessTexts } from "./losslessTexts";
import type { LayerReadout } from "./timeline";
import { cellTextOfText } from "./tokens";

/** The first half of 🙂, after a space. */
const HALF = [0x20, 0xf0, 0x9f];
const HALF_BASE64 = btoa(String.fromCharCode(...HALF));
const half = { token_id: 9, text: " \ufffd", bytes: HALF_BASE64 };

const shown = (text: string | undefined): [string, number[]] => [
  cellTextOfText(text ?? ""),
  [...bytesOfLossless(text ?? "")],
];
const IS_HALF = ["·\\xF0\\x9F", HALF];

test.each([
  ["a lens", { ...madeUpLens([...PROMPT], { top_k: 1 }), targets: [] }],
  ["a comparison", { ...madeUpComparison({ a: {}, b: {} }), targets: [] }],
])("the texts of %s keep the bytes of what is no whole character", (_, answer) => {
  const sent = {
    ...answer,
    vocabulary: { ...answer.vocabulary, 8: " whole", 9: half.text },
    vocabulary_bytes: { 9: HALF_BASE64 },
    targets: [half, { token_id: 8, text: " whole", bytes: null }],
  };
  const { vocabulary, targets } = withLosslessTexts(sent);
  expect(shown(vocabulary["9"])).toEqual(IS_HALF);
  expect(vocabulary).toEqual({ ...sent.vocabulary, 9: vocabulary["9"] });
  expect(shown(targets[0]?.text)).toEqual(IS_HALF);
  expect(targets[1]?.text).toBe(" whole");
});

test("so do those of a search, and of what the query is split into", () => {
  const answer = madeUpMatches("");
  const { matches, encoded_texts } = withLosslessMatches({
    ...answer,
    matches: [...answer.matches, { ...half, exact: false, is_byte_token: false }],
    encoded_texts: ["\ufffd", "!"],
    encoded_bytes: [HALF_BASE64, btoa("!")],
  });
  expect(shown(matches.at(-1)?.text)).toEqual(IS_HALF);
  expect(matches.slice(0, -1)).toEqual(answer.matches);
  expect(shown(encoded_texts[0])).toEqual(IS_HALF);
  expect(encoded_texts[1]).toBe("!");
});

const readouts: LayerReadout[] = LENS.map((readout) => ({
  ...readout,
  predictions: [...readout.predictions, { ...half, probability: 0.1, rank: 2 }],
}));

test("so do the predictions that come with a reply", () => {
  const lens = withLosslessPredictions({ type: "lens", index: 2, lens: readouts });
  const next = withLosslessPredictions({
    type: "token",
    token: token(6, "x", "assistant", { lens: readouts }),
  });
  for (const found of [
    lens.type === "lens" ? lens.lens : [],
    next.type === "token" ? (next.token.lens ?? []) : [],
  ]) {
    expect(found).toHaveLength(LENS.length);
    found.forEach(({ predictions, ...rest }, layer) => {
      expect(predictions.slice(0, -1)).toEqual(LENS[layer]?.predictions);
      expect(shown(predictions.at(-1)?.text)).toEqual(IS_HALF);
      expect(rest).toEqual({ ...LENS[layer], predictions: undefined });
    });
  }
});

test("what has no predictions goes through as it is", () => {
  const event = { type: "token", token: token(6, "x", "assistant") } as const;
  expect(withLosslessPredictions(event)).toBe(event);
});
