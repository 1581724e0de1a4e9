import { expect, test } from "vitest";
import { byteName } from "./bytes";

test.each([
  ["\n", "<0x0A>"],
  ["\0", "<0x00>"],
  ["\u00ff", "<0xFF>"],
])("a token of one byte is named as vocabularies spell it", (byte, name) => {
  expect(byteName(btoa(byte))).toBe(name);
});
