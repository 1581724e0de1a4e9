import { expect, test } from "vitest";
import type { Role, Token } from "@/model/timeline";
import { PROMPT, token } from "@/test/recordedStream";
import { lastUserText, withLastUserText } from "./history";

const timeline = (...parts: readonly (readonly [string, Role])[]): Token[] =>
  parts.map(([text, role], index) => token(index, text, role));

const CHAT = timeline(
  ["Be brief.", "system"],
  ["\n\n", "template"],
  ["User:", "template"],
  [" The", "user"],
  [" capital", "user"],
  ["\n", "template"],
  ["Assistant:", "template"],
  [" Paris", "assistant"],
  [".\n", "assistant"],
  ["User:", "template"],
  [" Of", "user"],
  [" Italy?", "user"],
  ["\nAssistant:", "template"],
  [" Rome", "assistant"],
);

test("the last message is replaced, the history before it stays, the reply to it goes", () => {
  expect(lastUserText(CHAT, "chat")).toBe("Of Italy?");
  expect(withLastUserText(CHAT, "chat", "Of Spain?")).toEqual({
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "The capital" },
      { role: "assistant", content: " Paris.\n" },
      { role: "user", content: "Of Spain?" },
    ],
  });
});

test("a completion keeps its text as it is, blanks and all", () => {
  const tokens = timeline(
    ["<bos>", "template"],
    ["Once ", "user"],
    [" upon", "assistant"],
    [" a", "user"],
    [" time ", "user"],
    ["there", "assistant"],
  );
  expect(lastUserText(tokens, "completion")).toBe(" a time ");
  expect(withLastUserText(tokens, "completion", " the hill ")).toEqual({ prompt: "Once  upon the hill " });
});

test("where the user said nothing there is nothing to prefill", () => {
  expect(lastUserText([], "chat")).toBe("");
  expect(withLastUserText([], "chat", "Hello")).toEqual({ messages: [{ role: "user", content: "Hello" }] });
  expect(withLastUserText([], "completion", "Hello")).toEqual({ prompt: "Hello" });
});

test("a recorded conversation gives its message back", () => {
  expect(lastUserText(PROMPT, "chat")).toBe("Hello");
});
