import { expect, test } from "vitest";
import { cellPartsOfText } from "@/model/tokens";
import { distinctTexts } from "./chipTexts";

const shown = (texts: readonly string[], letters: number): string[] =>
  distinctTexts(texts.map(cellPartsOfText), letters).map((parts) => parts.map(({ text }) => text).join(""));

test("what fits is whole, what does not is cut at its end", () => {
  expect(shown([" Italy", " international", " ."], 9)).toEqual(["·Italy", "·interna…", "·."]);
});

test("texts that begin alike show what tells them apart", () => {
  const texts = [" international", " internationally", " internal"];
  const all = shown(texts, 9);
  expect(new Set(all).size).toBe(3);
  for (const text of all) expect(text.length).toBeLessThanOrEqual(9);
  expect(all[2]).toBe("·internal");
});

test("no two of many long texts look alike", () => {
  const texts = Array.from({ length: 20 }, (_, i) => ` characteristic${i}s of one`);
  for (const letters of [9, 12, 16]) expect(new Set(shown(texts, letters)).size).toBe(20);
});

test("a mark keeps its kind when it is cut", () => {
  expect(distinctTexts([cellPartsOfText(" a very long text")], 9)[0]).toEqual([
    { text: "·", kind: "glyph" },
    { text: "a", kind: "plain" },
    { text: "·", kind: "glyph" },
    { text: "very", kind: "plain" },
    { text: "·…", kind: "glyph" },
  ]);
});
