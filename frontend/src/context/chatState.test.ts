import { expect, test } from "vitest";
import { ApiError } from "@/api/errors";
import { EVENTS, LENS, PROMPT, token } from "@/test/recordedStream";
import { SAMPLING, savedConversation } from "@/test/saved";
import type { Token } from "@/types/timeline";
import {
  type ChatAction,
  type ChatState,
  EMPTY_TIMELINE,
  type Submission,
  chatReducer,
  initialChatState,
  tokensPerSecond,
} from "./chatState";

const HELLO: Submission = { kind: "message", text: "Hello", fromIndex: null };
const FULL = new ApiError({ code: "queue_full", message: "8 requests wait." });

const received = EVENTS.map((event, number): ChatAction => ({ type: "received", event, at: 100 * number }));
const after = (state: ChatState, ...actions: ChatAction[]): ChatState => actions.reduce(chatReducer, state);
const submitted = after(initialChatState("chat"), { type: "submitted", submission: HELLO });
const settled = after(submitted, ...received);

test("a whole reply gives the timeline that the server told, token by token", () => {
  expect(settled.timeline.tokens.map((each) => each.text).join("")).toBe("User: Hello\nAssistant: Grüß dich");
  expect(settled.timeline.tokens.map((each) => each.index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(settled.timeline.tokens[6]?.lens).toBe(LENS);
  expect(settled.timeline.turns).toEqual([
    { promptStart: 0, replyStart: 6, userText: "Hello", seed: 41, finish: "stop" },
  ]);
  expect([settled.timeline.status, settled.pending, settled.timeline.conversationId]).toEqual([
    "settled",
    null,
    "conversation-1",
  ]);
});

test("a refused message comes back and leaves the conversation as it was", () => {
  const refused = after(
    settled,
    { type: "submitted", submission: { ...HELLO, text: "More" } },
    { type: "failed", error: FULL },
  );
  expect(refused.timeline).toBe(settled.timeline);
  expect(refused.returned).toEqual({ text: "More", serial: 1 });
  expect(refused.failure?.error.code).toBe("queue_full");
});

test("a reply that breaks off stays in view, is not read as stored, and gives the message back", () => {
  const broken = after(submitted, ...received.slice(0, 2), { type: "failed", error: FULL });
  expect(broken.timeline.tokens).toHaveLength(7);
  expect(broken.timeline.turns.at(-1)?.finish).toBe("failed");
  expect(broken.timeline.conversationId).toBeNull();
  expect(broken.returned.text).toBe("Hello");
  const again = after(broken, { type: "submitted", submission: HELLO });
  expect(again.timeline.tokens).toEqual([]);
});

test("putting a failure away brings back the conversation before it", () => {
  const broken = after(
    settled,
    { type: "submitted", submission: HELLO },
    ...received.slice(0, 2),
    { type: "failed", error: FULL },
    { type: "dismissed" },
  );
  expect(broken.timeline).toBe(settled.timeline);
  expect(broken.failure).toBeNull();
});

test("Stop keeps what was written and ignores what still comes", () => {
  const stopped = after(submitted, ...received.slice(0, 2), { type: "stopped" }, ...received.slice(2));
  expect(stopped.timeline.tokens).toHaveLength(7);
  expect(stopped.timeline.turns.at(-1)?.finish).toBe("cancelled");
});

test("Stop before the first token gives the message back", () => {
  const stopped = after(submitted, received[0] ?? { type: "stopped" }, { type: "stopped" });
  expect([stopped.timeline.status, stopped.returned.text]).toEqual(["empty", "Hello"]);
});

test("a reply written again keeps its turn, with the new seed", () => {
  const again = after(
    settled,
    { type: "submitted", submission: { kind: "regenerate", text: "", fromIndex: 6 } },
    {
      type: "received",
      event: {
        type: "start",
        id: "reply-2",
        conversation_id: "conversation-2",
        model: "tiny",
        model_identity: { name: "tiny", revision: "abc", source: "hub" },
        seed: 42,
        turn_start: 6,
        prompt_tokens: [...PROMPT],
      },
      at: 0,
    },
  );
  expect(again.timeline.turns).toEqual([
    { promptStart: 0, replyStart: 6, userText: "Hello", seed: 42, finish: null },
  ]);
});

test("editing a turn cuts it off at once, and a failure brings it back", () => {
  const edited = after(settled, {
    type: "submitted",
    submission: { kind: "edit", text: "Hi", fromIndex: 0 },
  });
  expect(edited.timeline.tokens).toEqual([]);
  expect(after(edited, { type: "failed", error: FULL }).timeline).toBe(settled.timeline);
});

test("a reopened conversation finds its turns and its mode by the roles of its tokens", () => {
  const tokens = [
    ...settled.timeline.tokens,
    token(8, "\nUser:", "template"),
    token(9, " Bye", "user"),
    token(10, " Bye", "assistant"),
  ];
  const saved = savedConversation({
    tokens,
    turns: [
      { start: 0, reply_start: 6, end: 7, finish_reason: "cancelled", sampling: null },
      { start: 7, reply_start: 7, end: 8, finish_reason: "stop", sampling: { ...SAMPLING, seed: 5 } },
    ],
  });
  const reopened = after(initialChatState("completion"), { type: "reopened", saved });
  expect(
    reopened.timeline.turns.map((turn) => [turn.promptStart, turn.replyStart, turn.seed, turn.finish]),
  ).toEqual([
    [0, 6, 5, "stop"],
    [8, 10, null, null],
  ]);
  expect([reopened.mode, reopened.opened]).toEqual(["chat", saved]);
});

test("a conversation of another model has no timeline, and gives way to a new message", () => {
  const saved = savedConversation({ is_readable: false, tokens: [] });
  const opened = after(settled, { type: "reopened", saved });
  expect([opened.timeline, opened.opened]).toEqual([EMPTY_TIMELINE, saved]);
  expect(after(opened, { type: "submitted", submission: HELLO }).opened).toBeNull();
});

test("a branch inside a reply goes on with its turn", () => {
  const start = (prompt_tokens: Token[]): ChatAction => ({
    type: "received",
    event: {
      type: "start",
      id: "reply-2",
      conversation_id: "conversation-2",
      model: "tiny",
      model_identity: { name: "tiny", revision: "abc", source: "hub" },
      seed: 42,
      turn_start: prompt_tokens.length,
      prompt_tokens,
    },
    at: 0,
  });
  const branch = (fromIndex: number): Submission => ({ kind: "branch", text: "", fromIndex, forced: [9] });
  const turn = { promptStart: 0, replyStart: 6, userText: "Hello", seed: 42, finish: null };
  const inside = after(
    settled,
    { type: "submitted", submission: branch(7) },
    start([...settled.timeline.tokens.slice(0, 7)]),
  );
  expect(inside.timeline.turns).toEqual([turn]);
  const atStart = after(settled, { type: "submitted", submission: branch(6) }, start([...PROMPT]));
  expect(atStart.timeline.turns).toEqual([turn]);
  const inPrompt = after(
    settled,
    { type: "submitted", submission: branch(2) },
    start([...PROMPT.slice(0, 2)]),
  );
  expect(inPrompt.timeline.turns).toEqual([
    { promptStart: 0, replyStart: 2, userText: null, seed: 42, finish: null },
  ]);
});

test("the rate is taken between the first and the last token", () => {
  expect(tokensPerSecond({ firstTokenAt: 0, lastTokenAt: 2000, tokens: 41 })).toBe(20);
  expect(tokensPerSecond({ firstTokenAt: 0, lastTokenAt: 2000, tokens: 2 })).toBeNull();
});
