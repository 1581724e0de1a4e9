import { expect, test } from "vitest";
import { piecesOf, withPiece } from "./words";

test.each([
  "The capital of France is",
  "Is it  Paris?\n- yes, 42!",
  "",
  "  ",
  "don't",
  "東京は日本の首都です",
])("the pieces of %j are the text, and a word can be replaced in place", (text) => {
  const pieces = piecesOf(text);
  expect(pieces.map((piece) => piece.text).join("")).toBe(text);
  const at = pieces.findIndex(({ isWord }) => isWord);
  const before = pieces.slice(0, Math.max(at, 0)).map((piece) => piece.text);
  if (at >= 0) expect(withPiece(pieces, at, "X").startsWith(`${before.join("")}X`)).toBe(true);
});

test("words are apart from the signs around them", () => {
  const words = piecesOf("Is France, 1998?").filter(({ isWord }) => isWord);
  expect(words.map(({ text }) => text)).toEqual(["Is", "France", "1998"]);
});
