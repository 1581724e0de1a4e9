import { describe, expect, test } from "vitest";
import { losslessText } from "@/model/bytes";
import { cellPartsOfText } from "@/model/tokens";
import { WordForms, characterStarts, wordForm } from "./wordForms";

const base64 = (bytes: readonly number[]): string => btoa(String.fromCharCode(...bytes));
const token = (id: number, bytes: string | readonly number[], special = false) => {
  const list = typeof bytes === "string" ? [...new TextEncoder().encode(bytes)] : bytes;
  return { id, text: new TextDecoder().decode(Uint8Array.from(list)), bytes: base64(list), special };
};
/** 🙂 in two tokens, between others. */
const tokens = [
  token(1, "Oh"),
  token(2, [0x20, 0xf0, 0x9f]),
  token(3, [0x99, 0x82, 0x21]),
  token(4, "\n\n"),
  token(5, " end"),
];
const always = (): boolean => true;
const except =
  (...indices: readonly number[]) =>
  (index: number): boolean =>
    !indices.includes(index);

test.each([
  [" Paris", " ", "Paris"],
  ["ly", "", "ly"],
  ["   x", "   ", "x"],
  [" ", "", "·"],
  ["\n", "", "⏎"],
  [" \n", "", "·⏎"],
  ["\tx", "", "⇥x"],
  ["·Paris", "", "·Paris"],
  [" of the", " ", "of·the"],
  ["", "", "∅"],
  [losslessText(Uint8Array.of(0x20, 0xf0, 0x9f)), " ", "\\xF0\\x9F"],
])("%j is written with its blanks before it and its signs", (text, lead, body) => {
  expect(wordForm(cellPartsOfText(text))).toEqual({ lead, body });
});

describe("half a character", () => {
  test("is known by the token that began it", () => {
    expect(characterStarts(tokens)).toEqual([0, 1, 1, 3, 4]);
    expect(characterStarts([token(1, [0xf0]), token(2, [0x9f]), token(3, [0x99]), token(4, [0x82])])).toEqual(
      [0, 1, 2, 0],
    );
    expect(characterStarts([token(1, [0xf0]), token(2, "a")])).toEqual([0, 1]);
  });

  test("is whole only where the real tokens before it stand there too", () => {
    const forms = new WordForms(tokens);
    expect(forms.inPlace(2, always)).toEqual({ lead: "", body: "🙂!" });
    expect(forms.inPlace(2, except(1))).toEqual({ lead: "", body: "\\x99\\x82!" });
    expect(forms.inPlace(1, always)).toEqual({ lead: " ", body: "\\xF0\\x9F" });
    expect(forms.inPlace(4, except(3))).toEqual({ lead: " ", body: "end" });
  });

  test("is shown by its bytes, whether it stands there or not", () => {
    const forms = new WordForms(tokens);
    expect(forms.actual(1).body).toBe("\\xF0\\x9F");
    expect(forms.predicted(99, losslessText(Uint8Array.of(0x20, 0xe2))).body).toBe("\\xE2");
  });
});

test("a line ends with a token that has a line break", () => {
  const forms = new WordForms(tokens);
  expect(tokens.map((_, index) => forms.endsLine(index))).toEqual([false, false, false, true, false]);
});
