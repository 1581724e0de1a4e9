import { expect, test } from "vitest";
import { fileName } from "./download";

test.each([
  ["The capital of France is", "The-capital-of-France-is.json"],
  ["../../etc/passwd\0", "etc-passwd.json"],
  ["Grüße 🙂", "Grüße.json"],
  ["???", "conversation.json"],
])("%s", (title, name) => {
  expect(fileName(title)).toBe(name);
});
