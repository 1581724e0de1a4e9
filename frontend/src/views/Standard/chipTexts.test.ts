import { expect, test } from "vitest";
import { cellPartsOfText } from "@/model/tokens";
import { distinctTexts } from "./chipTexts";

const tokensOf = (texts: readonly string[]) =>
  texts.map((text, id) => ({ id: 100 + id, parts: cellPartsOfText(text) }));
const shown = (texts: readonly string[], letters: number): string[] =>
  distinctTexts(tokensOf(texts), letters).map((parts) => parts.map(({ text }) => text).join(""));

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

test("texts that are alike at both ends show where they differ", () => {
  const all = shown([" counterrevolutionary", " counterevolutionary", " counterinsurgentnary"], 9);
  expect(new Set(all).size).toBe(3);
  for (const text of all) expect(text.length).toBeLessThanOrEqual(9);
});

test("tokens of the same text show their ids", () => {
  const all = shown([" characteristic", " characteristic", " a"], 9);
  expect(all).toEqual(["·cha…#100", "·cha…#101", "·a"]);
});

test("no two of many long texts look alike", () => {
  const texts = Array.from({ length: 20 }, (_, i) => ` characteristic${i}s of one`);
  for (const letters of [9, 12, 16]) {
    const all = shown(texts, letters);
    expect(new Set(all).size).toBe(20);
    for (const text of all) expect(text.length).toBeLessThanOrEqual(letters);
  }
});

test("a mark keeps its kind when it is cut", () => {
  expect(distinctTexts(tokensOf([" a very long text"]), 9)[0]).toEqual([
    { text: "·", kind: "glyph" },
    { text: "a", kind: "plain" },
    { text: "·", kind: "glyph" },
    { text: "very", kind: "plain" },
    { text: "·…", kind: "glyph" },
  ]);
});
