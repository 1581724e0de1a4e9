import { expect, test } from "vitest";
import { partingOfReplies } from "./replies";

/** Small letters are of the prompt, capital ones and signs of a reply. */
const text = (letters: string) =>
  Array.from(letters, (letter) => ({
    id: letter.charCodeAt(0),
    role: /[a-z]/.test(letter) ? ("user" as const) : ("assistant" as const),
  }));
const parting = (a: string, b: string) => partingOfReplies(text(a), text(b));

test.each([
  ["the first token of the reply", "abcXYZ", "abcVYZ", { a: 3, b: 3 }],
  ["a later one", "abcXYZ", "abcXYW", { a: 5, b: 5 }],
  ["after prompts of other lengths", "abcXYZ", "abdefXZZ", { a: 4, b: 6 }],
  ["a later reply, the ones before being alike", "aXYbZ", "aXYcdW", { a: 4, b: 5 }],
  ["the first of several", "aXYbZ", "aXVbW", { a: 2, b: 2 }],
])("replies part at %s", (_, a, b, place) => {
  expect(parting(a, b)).toEqual(place);
});

test.each([
  ["are alike", "abXY", "abXY"],
  ["are alike after other prompts", "abXY", "cdeXY"],
  ["are alike until one only goes on", "abXY", "abXYZ"],
  ["are alike until one only goes on, whatever comes later", "aXbY", "aXYbZ"],
  ["have no counterpart", "abX", "ab"],
  ["have nothing before them that predicts them", "XY", "ZY"],
])("replies do not part where they %s", (_, a, b) => {
  expect(parting(a, b)).toBeNull();
});
