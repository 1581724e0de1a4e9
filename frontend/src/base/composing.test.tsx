/* eslint-disable @typescript-eslint/no-deprecated -- the key code is what Safari tells it by */
import { expect, test } from "vitest";
import { isOfInputMethod } from "./composing";

const key = (more: KeyboardEventInit): KeyboardEvent =>
  new KeyboardEvent("keydown", { key: "Enter", ...more });

test("Enter that takes a character is the input method's in every browser's order, and plain Enter is not", () => {
  expect(isOfInputMethod(key({ isComposing: true }))).toBe(true);
  expect(isOfInputMethod(key({ keyCode: 229 }))).toBe(true); // Safari, after compositionend
  expect(isOfInputMethod(key({ keyCode: 13 }))).toBe(false);
});

/** Sources of the page by path. */
const SOURCES = import.meta.glob<string>("/src/**/*.tsx", { query: "?raw", import: "default", eager: true });

test("every field for text that listens to keys leaves those of an input method alone", () => {
  const fields = Object.entries(SOURCES).filter(
    ([path, source]) =>
      !path.includes(".test.") &&
      /<(input|textarea)\b(?!\s+type="range")/.test(source) &&
      source.includes("onKeyDown="),
  );
  expect(fields.length).toBeGreaterThan(5);
  const deaf = fields.filter(([, source]) => !source.includes("isOfInputMethod(")).map(([path]) => path);
  expect(deaf).toEqual([]);
});
