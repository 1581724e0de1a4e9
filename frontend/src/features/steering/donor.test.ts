import { expect, test } from "vitest";
import type { Role, Token } from "@/model/timeline";
import { token } from "@/test/recordedStream";
import { donorAt, promptEndAt } from "./donor";

/** Letters: U and u of the user, A and a of the assistant, others of the template; ids are their codes. */
function textOf(letters: string): Token[] {
  return Array.from(letters, (text, index) => {
    const role: Role = /[u-z]/.test(text) ? "user" : /[a-h]/.test(text) ? "assistant" : "template";
    return token(index, text, role, { id: text.charCodeAt(0) });
  });
}

const lettersOf = (tokens: readonly Token[]): string => tokens.map(({ text }) => text).join("");

test("after the prompt the same reply stands behind the other one", () => {
  const tokens = textOf("[uvw]abc[xy]de");
  const donor = donorAt(tokens, 6, textOf("[uvzzw]"));
  expect(lettersOf(donor.tokens)).toBe("[uvzzw]ab");
  expect(donor.tokens.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(donor.isSame).toBe(false);
});

test("the last token of the prompt stands for that of the other one", () => {
  expect(lettersOf(donorAt(textOf("[uvw]abc"), 4, textOf("[zw]")).tokens)).toBe("[zw]");
});

test("within the prompt the aligned token is taken, or the last one before it", () => {
  const tokens = textOf("[uvw]abc");
  expect(lettersOf(donorAt(tokens, 3, textOf("[uzw]")).tokens)).toBe("[uzw");
  expect(lettersOf(donorAt(tokens, 2, textOf("[uzw]")).tokens)).toBe("[uz");
  expect(lettersOf(donorAt(tokens, 2, textOf("[uw]")).tokens)).toBe("[u");
});

test("the message is the last one up to the token, and its reply is found by the roles", () => {
  const tokens = textOf("[uvw]abc[xy]de");
  expect([0, 3, 4, 7, 8].map((position) => promptEndAt(tokens, position))).toEqual([5, 5, 5, 5, 5]);
  expect([9, 11, 13].map((position) => promptEndAt(tokens, position))).toEqual([12, 12, 12]);
  expect(promptEndAt(textOf("[uvw]"), 4)).toBe(5);
});

test("the same text is known by its ids", () => {
  const tokens = textOf("[uvw]abc");
  expect(donorAt(tokens, 6, textOf("[uvw]")).isSame).toBe(true);
  // Up to the changed word it is the same as well.
  expect(donorAt(tokens, 1, textOf("[uzw]")).isSame).toBe(true);
});
