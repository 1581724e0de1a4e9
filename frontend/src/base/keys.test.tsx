import { describe, expect, test } from "vitest";
import { isCommandKey, typedKey } from "./keys";

const press = (more: KeyboardEventInit): KeyboardEvent => new KeyboardEvent("keydown", more);

describe("the key that was typed", () => {
  test.each([
    ["a bracket of a US keyboard", { key: "[", code: "BracketLeft" }, "["],
    ["a bracket by AltGr on Windows", { key: "[", code: "Digit8", ctrlKey: true, altKey: true }, "["],
    ["a bracket by AltGr on Linux", { key: "]", code: "Digit9", modifierAltGraph: true }, "]"],
    ["a brace by AltGr", { key: "{", code: "Digit7", ctrlKey: true, altKey: true }, "{"],
    ["a bracket by Option on a German Mac", { key: "[", code: "Digit5", altKey: true }, "["],
    ["a letter of a Greek keyboard", { key: "ξ", code: "KeyJ" }, "j"],
    ["the bracket's place on a Russian keyboard", { key: "х", code: "BracketLeft" }, "["],
    ["the same with Shift", { key: "Х", code: "BracketLeft", shiftKey: true }, "{"],
    ["a letter that moved on a Dvorak keyboard", { key: "j", code: "KeyC" }, "j"],
    ["Escape", { key: "Escape", code: "Escape" }, "Escape"],
  ])("is found for %s", (_, event, key) => {
    expect(typedKey(press(event))).toBe(key);
  });

  test.each([
    ["Ctrl+[", { key: "[", code: "BracketLeft", ctrlKey: true }],
    ["Alt+[", { key: "[", code: "BracketLeft", altKey: true }],
    ["Alt+/", { key: "/", code: "Slash", altKey: true }],
    ["Alt+1, which goes to a tab", { key: "1", code: "Digit1", altKey: true }],
    ["⌘[, which goes back", { key: "[", code: "BracketLeft", metaKey: true }],
    ["Ctrl+J", { key: "j", code: "KeyJ", ctrlKey: true }],
    ["a key of an input method", { key: "j", code: "KeyJ", isComposing: true }],
  ])("is none for %s", (_, event) => {
    expect(typedKey(press(event))).toBeNull();
  });
});

test("the command key is K by its letter, and by its place where there are no Latin letters", () => {
  expect(isCommandKey(press({ key: "k", code: "KeyK", ctrlKey: true }))).toBe(true);
  expect(isCommandKey(press({ key: "K", code: "KeyK", metaKey: true }))).toBe(true); // with Caps Lock
  expect(isCommandKey(press({ key: "л", code: "KeyK", ctrlKey: true }))).toBe(true);
  expect(isCommandKey(press({ key: "k", code: "KeyV", ctrlKey: true }))).toBe(true); // Dvorak
  expect(isCommandKey(press({ key: "t", code: "KeyK", ctrlKey: true }))).toBe(false);
  expect(isCommandKey(press({ key: "k", code: "KeyK", ctrlKey: true, shiftKey: true }))).toBe(false);
  expect(isCommandKey(press({ key: "k", code: "KeyK" }))).toBe(false);
});

/** Sources of the page by path. */
const SOURCES = import.meta.glob<string>("/src/**/*.tsx", { query: "?raw", import: "default", eager: true });

test("whatever is moved by arrows leaves Alt+Left and Ctrl+Plus to the browser", () => {
  const moved = Object.entries(SOURCES).filter(
    ([path, source]) =>
      !path.includes(".test.") &&
      source.includes("onKeyDown={") &&
      /AfterKey\(|Arrow(Left|Right)"|ArrowUp: -1|percentFor\(/.test(source),
  );
  expect(moved.length).toBeGreaterThan(6);
  const greedy = moved.filter(([, source]) => !source.includes("isBrowserCommand(")).map(([path]) => path);
  expect(greedy).toEqual([]);
});
