import { expect, test } from "vitest";
import { DEFAULT_SETTINGS, parseSettings } from "@/features/settings/settings";
import type { Timeline } from "@/model/timeline";
import { PROMPT } from "@/test/recordedStream";
import { chatRequest } from "./chatRequest";
import { EMPTY_TIMELINE } from "./chatState";

const STORED: Timeline = { ...EMPTY_TIMELINE, conversationId: "c1", tokens: PROMPT, status: "settled" };
const SETTINGS = { ...DEFAULT_SETTINGS, systemPrompt: "Be brief.", bos: true };

test("a new conversation opens with the system prompt and the choice of BOS", () => {
  const request = chatRequest(
    { kind: "message", text: "Hi", fromIndex: null },
    EMPTY_TIMELINE,
    "chat",
    SETTINGS,
  );
  expect(request.messages.map((message) => message.role)).toEqual(["system", "user"]);
  expect(request.bos).toBe(true);
});

test("a further message is sent alone, with the conversation and the length that it continues", () => {
  const request = chatRequest({ kind: "message", text: "Hi", fromIndex: null }, STORED, "chat", SETTINGS);
  expect(request.messages).toEqual([{ role: "user", content: "Hi" }]);
  expect([request.conversation_id, request.from_index, request.bos]).toEqual(["c1", 6, undefined]);
});

test("regenerating sends no message, only where to cut", () => {
  const request = chatRequest({ kind: "regenerate", text: "", fromIndex: 6 }, STORED, "chat", SETTINGS);
  expect([request.messages, request.from_index]).toEqual([[], 6]);
});

test("editing the first turn makes a branch from the start, system prompt included", () => {
  const request = chatRequest({ kind: "edit", text: "Hi", fromIndex: 0 }, STORED, "chat", SETTINGS);
  expect([request.conversation_id, request.from_index, request.bos]).toEqual(["c1", 0, true]);
  expect(request.messages).toHaveLength(2);
});

test("a branch sends where it leaves and the tokens that it begins with", () => {
  const request = chatRequest(
    { kind: "branch", text: "", fromIndex: 0, forced: [7, 8] },
    STORED,
    "chat",
    SETTINGS,
  );
  expect([request.messages, request.from_index, request.continue_with]).toEqual([[], 0, [7, 8]]);
  expect(request.bos).toBeUndefined();
});

test("raw text has no system prompt", () => {
  const request = chatRequest(
    { kind: "message", text: "Hi", fromIndex: null },
    EMPTY_TIMELINE,
    "completion",
    SETTINGS,
  );
  expect(request.messages).toHaveLength(1);
});

test("stored settings that no longer fit fall back one by one", () => {
  expect(parseSettings({ temperature: 99, topP: 0.5, pinnedSeed: -1, colouring: "rainbow" })).toEqual({
    ...DEFAULT_SETTINGS,
    topP: 0.5,
  });
  expect(parseSettings("nonsense")).toBeUndefined();
});
