import { expect, test } from "vitest";
import { ApiError } from "@/base/errors";
import { EVENTS, IDENTITY } from "@/test/recordedStream";
import { savedConversation } from "@/test/saved";
import {
  type Chats,
  type ChatsAction,
  chatMarks,
  chatsReducer,
  initialChats,
  readableWith,
  shownChat,
} from "./chats";
import { type ChatAction, EMPTY_TIMELINE, type Submission, shownId } from "./chatState";

const HELLO: Submission = { kind: "message", text: "Hello", fromIndex: null };
const REFUSED: ChatAction = {
  type: "failed",
  error: new ApiError({ code: "queue_full", message: "8 requests wait." }),
};

const after = (chats: Chats, ...actions: readonly ChatsAction[]): Chats =>
  actions.reduce(chatsReducer, chats);
const within = (key: number, ...actions: readonly ChatAction[]): ChatsAction[] =>
  actions.map((action) => ({ type: "chat", key, action }));
const events = EVENTS.map((event): ChatAction => ({ type: "received", event, at: 0 }));

const sent = after(initialChats("chat"), ...within(0, { type: "submitted", submission: HELLO }));
const streaming = after(sent, ...within(0, ...events.slice(0, 2)));
const opened = (key: number, id: string): ChatsAction[] => [
  { type: "visited", key, id },
  ...within(key, { type: "reopened", saved: savedConversation({ id, conversation_id: id }) }),
];

test("a reply goes on while another conversation is shown, and is shown running to who comes back", () => {
  const away = after(streaming, ...opened(1, "two"), ...within(0, ...events.slice(2, 4)));
  expect(shownId(shownChat(away))).toBe("two");
  const back = shownChat(after(away, { type: "visited", key: 2, id: "conversation-1" }));
  expect(back.pending).not.toBeNull();
  expect(back.timeline.tokens).toHaveLength(8);
});

test("a reply that has not begun when another conversation is opened goes on too", () => {
  const away = after(sent, ...opened(1, "two"), ...within(0, ...events));
  expect(away.all.get(0)?.timeline).toMatchObject({ conversationId: "conversation-1", status: "settled" });
});

test("several replies can run, and what comes for one does not touch the other", () => {
  const both = after(
    streaming,
    { type: "begun", key: 1, mode: "completion" },
    ...within(1, { type: "submitted", submission: { ...HELLO, text: "Bye" } }),
    ...within(0, ...events.slice(2)),
  );
  expect(both.all.get(0)?.pending).toBeNull();
  expect(shownChat(both).pending?.submission.text).toBe("Bye");
  expect(chatMarks(both).map(({ key, kind }) => [key, kind])).toEqual([[1, "running"]]);
});

test("a reply that ended in the background is read from the server when it is opened", () => {
  const away = after(streaming, ...opened(1, "two"), ...within(0, ...events.slice(2)));
  const back = after(away, { type: "visited", key: 2, id: "conversation-1" });
  expect(shownChat(back)).toMatchObject({ key: 2, opening: "conversation-1" });
  expect(back.all.has(0)).toBe(false);
});

test("a failure in the background is marked in the list, and told where it belongs", () => {
  const away = after(streaming, ...opened(1, "two"), ...within(0, REFUSED));
  expect(shownChat(away).failure).toBeNull();
  expect(chatMarks(away)).toEqual([{ key: 0, wholeId: "conversation-1", text: "Hello", kind: "failed" }]);
  const back = after(away, { type: "visited", key: 2, id: "conversation-1" });
  expect(shownChat(back).failure?.during).toBe("reply");
  expect(chatMarks(back)).toEqual([]);
});

test("a message that is refused in the background stays in the list until it is looked at", () => {
  const away = after(sent, ...opened(1, "two"), ...within(0, REFUSED), ...opened(2, "three"));
  expect(chatMarks(away)).toEqual([{ key: 0, wholeId: null, text: "Hello", kind: "failed" }]);
  const back = after(away, { type: "shown", key: 0 });
  expect(shownChat(back).returned.text).toBe("Hello");
  expect(after(back, ...opened(3, "two")).all.size).toBe(1);
});

test("a conversation that was deleted is gone from the page; another one that is shown stays", () => {
  const away = after(streaming, ...opened(1, "two"));
  const one = after(away, { type: "removed", keys: [0], newKey: 2 });
  expect([one.shown, one.all.size]).toEqual([1, 1]);
  const both = after(away, { type: "removed", keys: [1], newKey: 2 });
  expect([shownChat(both).timeline, both.all.has(0)]).toEqual([EMPTY_TIMELINE, true]);
});

test("what comes for a conversation that is gone changes nothing", () => {
  const gone = after(streaming, { type: "removed", keys: [0], newKey: 1 });
  expect(after(gone, ...within(0, ...events.slice(2)))).toBe(gone);
});

test.each([
  ["revision", { ...IDENTITY, revision: "other" }],
  ["name", { ...IDENTITY, name: "other" }],
  ["source", { ...IDENTITY, source: "local" as const }],
  ["unknown revision", { ...IDENTITY, revision: null }],
])("a timeline of a model with another %s is not shown under the running one", (_, running) => {
  const chat = shownChat(after(sent, ...within(0, ...events)));
  expect(readableWith(chat, IDENTITY)).toBe(chat);
  expect(readableWith(chat, null)).toBe(chat);
  const held = readableWith(chat, running);
  expect(held.timeline).toEqual(EMPTY_TIMELINE);
  expect(held.heldWith).toMatchObject({ id: "conversation-1", model: IDENTITY, text: " Hello Grüß dich" });
  expect(shownId(held)).toBe("conversation-1");
});
