import { expect, test } from "vitest";
import { textKey } from "./textKey";

const ids = (...all: number[]) => all.map((id) => ({ id }));

test("the same beginning has the same key in any timeline", () => {
  expect(textKey(ids(5, 6, 7), 2)).toBe(textKey(ids(5, 6), 2));
  expect(textKey(ids(5, 6), 9)).toBe(textKey(ids(5, 6), 2));
});

test("another token, order or length is another key", () => {
  const keys = [ids(5, 6, 7), ids(5, 7, 6), ids(6, 5, 7), ids(5, 6), ids(5, 6, 8), ids(5, 6, 0), ids()];
  expect(new Set(keys.map((each) => textKey(each, each.length))).size).toBe(keys.length);
});

test("a hundred thousand texts that differ in one token have keys of their own", () => {
  const keys = Array.from({ length: 100_000 }, (_, id) => textKey(ids(1, id, 2), 3));
  expect(new Set(keys).size).toBe(keys.length);
});
