import { expect, test } from "vitest";
import { ApiError } from "@/base/errors";
import type { Token } from "@/model/timeline";
import { EVENTS, IDENTITY, LENS, PROMPT, token } from "@/test/recordedStream";
import { SAMPLING, savedConversation } from "@/test/saved";
import {
  type ChatAction,
  type ChatState,
  type Submission,
  activityOf,
  chatReducer,
  initialChatState,
  type RemoteState,
  tokensPerSecond,
} from "./chatState";

const HELLO: Submission = { kind: "message", text: "Hello", fromIndex: null };
const FULL = new ApiError({ code: "queue_full", message: "8 requests wait." });

const received = EVENTS.map((event, number): ChatAction => ({ type: "received", event, at: 100 * number }));
const after = (state: ChatState, ...actions: ChatAction[]): ChatState => actions.reduce(chatReducer, state);
const submitted = after(initialChatState(0, "chat"), { type: "submitted", submission: HELLO });
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

test("a reply that waits for the model has its place, until the model begins", () => {
  const [start, ...rest] = received;
  if (start === undefined) throw new Error("there is a first event");
  const place = (position: number): ChatAction => ({
    type: "received",
    event: { type: "queued", position, seconds_left: 2 * position },
    at: 0,
  });
  const waiting = after(submitted, start, place(3), place(2));
  expect(waiting.stats.queued).toEqual({ position: 2, secondsLeft: 4 });
  expect(activityOf(waiting, null)).toBe("queued");
  expect(activityOf(after(waiting, place(0)), null)).toBe("reading");
  expect(after(waiting, ...rest).stats.queued).toBeNull();
});

test("a reply on NDIF tells how far its job is, until the first token", () => {
  const [start, ...rest] = received;
  if (start === undefined) throw new Error("there is a first event");
  const at = (state: RemoteState): ChatAction => ({
    type: "received",
    event: { type: "remote", state },
    at: 0,
  });
  const queued = after(submitted, start, at("queued"));
  expect(activityOf(queued, null)).toBe("remoteQueued");
  expect(activityOf(after(queued, at("deploying")), null)).toBe("deploying");
  expect(activityOf(after(queued, at("running")), null)).toBe("reading");
  expect(after(queued, ...rest).stats.remote).toBeNull();
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

test("a reply that breaks off is kept with its message, and says that it was interrupted", () => {
  const broken = after(submitted, ...received.slice(0, 2), { type: "failed", error: FULL });
  expect(broken.timeline.tokens).toHaveLength(7);
  expect(broken.timeline.turns.at(-1)?.finish).toBe("interrupted");
  expect([broken.timeline.conversationId, broken.timeline.status]).toEqual(["conversation-1", "settled"]);
  expect([broken.failure?.during, broken.returned.text]).toEqual(["reply", ""]);
  expect(after(broken, { type: "dismissed" }).timeline).toBe(broken.timeline);
});

test("what the server holds of a broken reply replaces what was shown, which keeps its read-outs where it is the same", () => {
  const broken = after(submitted, ...received.slice(0, 4), { type: "failed", error: FULL });
  const other = token(7, " Tag", "assistant", { id: 999 });
  const tokens = [...settled.timeline.tokens.slice(0, 7).map((each) => ({ ...each, lens: null })), other];
  const saved = savedConversation({
    tokens,
    turns: [{ start: 0, reply_start: 6, end: 8, finish_reason: "interrupted", sampling: SAMPLING }],
  });
  const read = after(broken, { type: "reread", saved });
  expect(read.timeline.tokens.map(({ id }) => id)).toEqual(tokens.map(({ id }) => id));
  expect(read.timeline.tokens[6]?.lens).toBe(LENS);
  expect(read.timeline.turns).toEqual([
    { promptStart: 0, replyStart: 6, userText: "Hello", seed: 41, finish: "interrupted" },
  ]);
});

test("what the server holds does not replace a reply that was begun meanwhile", () => {
  const again = after(
    submitted,
    ...received.slice(0, 2),
    { type: "stopped" },
    { type: "submitted", submission: { kind: "continue", text: "", fromIndex: 7 } },
  );
  expect(after(again, { type: "reread", saved: savedConversation() })).toBe(again);
});

test("a reply of which the server holds nothing gives the message back and cannot be continued", () => {
  const lost = after(submitted, ...received.slice(0, 2), { type: "failed", error: FULL }, { type: "lost" });
  expect([lost.timeline.conversationId, lost.timeline.tokens.length]).toEqual([null, 7]);
  expect([lost.failure?.during, lost.returned.text]).toEqual(["lost", "Hello"]);
});

test("Stop keeps what was written and ignores what still comes", () => {
  const stopped = after(submitted, ...received.slice(0, 2), { type: "stopped" }, ...received.slice(2));
  expect(stopped.timeline.tokens).toHaveLength(7);
  expect(stopped.timeline.turns.at(-1)?.finish).toBe("cancelled");
});

test("Stop before the reply has begun gives the message back", () => {
  const stopped = after(submitted, { type: "stopped" });
  expect([stopped.timeline.status, stopped.returned.text]).toEqual(["empty", "Hello"]);
});

test("Stop before the first token keeps the message, which the server has", () => {
  const stopped = after(submitted, ...received.slice(0, 1), { type: "stopped" });
  expect([stopped.timeline.conversationId, stopped.returned.text]).toEqual(["conversation-1", ""]);
  expect(stopped.timeline.turns.at(-1)?.finish).toBe("cancelled");
});

test.each<[string, ChatAction]>([
  ["stopped", { type: "stopped" }],
  ["failed", { type: "failed", error: FULL }],
])("a reply that is generated again and %s before its first token leaves the old one", (_, end) => {
  const again: Submission = { kind: "regenerate", text: "", fromIndex: 6 };
  const begun = after(settled, { type: "submitted", submission: again }, ...received.slice(0, 1));
  expect(after(begun, end).timeline).toBe(settled.timeline);
});

test("the timeline carries the model that the server says has computed it", () => {
  expect(settled.timeline.model).toEqual(IDENTITY);
  const model = { name: "other", revision: "r", source: "local" } as const;
  const reopened = after(submitted, { type: "reopened", saved: savedConversation({ model }) });
  expect(reopened.timeline.model).toEqual(model);
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
        steering: null,
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

test("a reopened conversation finds its turns by the roles of its tokens, and has the mode that is stored", () => {
  const tokens = [
    ...settled.timeline.tokens,
    token(8, "\nUser:", "template"),
    token(9, " Bye", "user"),
    token(10, " Bye", "assistant"),
  ];
  const saved = savedConversation({
    mode: "completion",
    tokens,
    turns: [
      { start: 0, reply_start: 6, end: 7, finish_reason: "cancelled", sampling: null },
      { start: 7, reply_start: 7, end: 8, finish_reason: "stop", sampling: { ...SAMPLING, seed: 5 } },
    ],
  });
  const reopened = after(initialChatState(0, "chat"), { type: "reopened", saved });
  expect(
    reopened.timeline.turns.map((turn) => [turn.promptStart, turn.replyStart, turn.seed, turn.finish]),
  ).toEqual([
    [0, 6, 5, "stop"],
    [8, 10, null, null],
  ]);
  expect([reopened.mode, reopened.opened]).toEqual(["completion", saved]);
});

test("a message that no reply was begun to is a turn of its own", () => {
  const tokens = [...settled.timeline.tokens, token(8, "\nUser:", "template"), token(9, " Bye", "user")];
  const turns = [
    { start: 0, reply_start: 6, end: 8, finish_reason: "stop", sampling: SAMPLING } as const,
    { start: 8, reply_start: 10, end: 10, finish_reason: "interrupted", sampling: SAMPLING } as const,
  ];
  const saved = savedConversation({ tokens, turns });
  expect(after(settled, { type: "reopened", saved }).timeline.turns.at(-1)).toMatchObject({
    promptStart: 8,
    replyStart: 10,
    finish: "interrupted",
  });
});

test("a reply that is continued stays one turn", () => {
  const prompt_tokens = [...settled.timeline.tokens];
  const [start] = EVENTS;
  if (start?.type !== "start") throw new Error("the recording begins with its start");
  const continued = after(
    settled,
    { type: "submitted", submission: { kind: "continue", text: "", fromIndex: 8 } },
    { type: "received", at: 0, event: { ...start, turn_start: 8, prompt_tokens } },
  );
  expect(continued.timeline.turns).toEqual([
    { promptStart: 0, replyStart: 6, userText: "Hello", seed: 41, finish: null },
  ]);
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
      steering: null,
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
  expect(
    tokensPerSecond({ firstTokenAt: 0, lastTokenAt: 2000, tokens: 41, queued: null, remote: null }),
  ).toBe(20);
  expect(
    tokensPerSecond({ firstTokenAt: 0, lastTokenAt: 2000, tokens: 2, queued: null, remote: null }),
  ).toBeNull();
});
