import { expect, test } from "vitest";
import { ApiError } from "@/base/errors";
import { readableWith } from "@/features/chat/chats";
import {
  type ChatAction,
  type ChatState,
  type Submission,
  chatReducer,
  initialChatState,
  openingChatState,
} from "@/features/chat/chatState";
import type { SavedConversation } from "@/features/library/conversations";
import type { Token } from "@/model/timeline";
import { EVENTS, IDENTITY, PROMPT } from "@/test/recordedStream";
import { savedConversation } from "@/test/saved";
import { type PinState, pinnedIds, withPosition, withToken, withoutToken } from "./pins";
import {
  NO_HELD_PINS,
  changed,
  followed,
  pinnedChat,
  forgotten,
  saved,
  shownPins,
  unsavedPins,
  visited,
} from "./pinsState";

const NONE = { token_ids: [], positions: [] };
const HELLO: Submission = { kind: "message", text: "Hello", fromIndex: null };
const AGAIN: Submission = { kind: "regenerate", text: "", fromIndex: 6 };
const FAILED: ChatAction = {
  type: "failed",
  error: new ApiError({ code: "out_of_memory", message: "Not enough memory." }),
};

const pin =
  (id: number) =>
  (before: PinState): PinState =>
    withToken(before, { id, text: `t${id}` });

/** The pins of a page, after what happened to its conversation. */
function pageOf() {
  let chat = initialChatState(0, "chat");
  let pins = NO_HELD_PINS;
  const page = {
    do: (...actions: readonly ChatAction[]) => {
      for (const action of actions) chat = chatReducer(chat, action);
      pins = followed(pins, pinnedChat(readableWith(chat, IDENTITY)));
    },
    show: (next: ChatState) => {
      chat = next;
      page.do();
    },
    open: (id: string, own: SavedConversation["pins"] = NONE) => {
      chat = openingChatState(1, "chat", id);
      page.do({ type: "reopened", saved: savedConversation({ id, pins: own }) });
    },
    /** The first events of a reply: its start, and so many more. */
    write: (id: string, count: number, prompt: readonly Token[] = PROMPT) =>
      page.do(
        ...EVENTS.slice(0, count + 1).map((event): ChatAction => ({
          type: "received",
          at: 0,
          event:
            event.type === "start" ? { ...event, conversation_id: id, prompt_tokens: [...prompt] } : event,
        })),
      ),
    apply: (change: (before: typeof pins) => typeof pins) => {
      pins = change(pins);
    },
    change: (how: (before: PinState) => PinState) => page.apply((before) => changed(before, how)),
    state: () => shownPins(pins),
    shown: () => pinnedIds(shownPins(pins)),
    unsaved: () => unsavedPins(pins),
  };
  return page;
}

test("what is pinned while the first reply is written is of the conversation that it begins", () => {
  const page = pageOf();
  page.do({ type: "submitted", submission: HELLO });
  page.write("new", 1);
  page.change(pin(5));
  expect(page.unsaved()).toEqual([
    { id: "new", pins: { token_ids: [[5]], positions: [] }, saved: { token_ids: [], positions: [] } },
  ]);
  page.apply((before) => saved(before, "new", { token_ids: [[5]], positions: [] }));
  expect(page.unsaved()).toEqual([]);
  page.show(initialChatState(2, "chat"));
  expect(page.shown()).toEqual(NONE);
});

test.each<[string, ChatAction]>([
  ["fails", FAILED],
  ["is stopped", { type: "stopped" }],
])("a branch whose reply %s is kept, and its pins are to be saved with it", (_, end) => {
  const page = pageOf();
  page.open("one", { token_ids: [[7]], positions: [2, 6] });
  page.do({ type: "submitted", submission: AGAIN });
  page.write("branch", 1);
  page.change(pin(5));
  page.do(end);
  expect(page.shown()).toEqual({ token_ids: [[7], [5]], positions: [2] });
  expect(page.unsaved().map(({ id }) => id)).toEqual(["branch"]);
});

test("a branch that is taken back before its first token leaves the pins as they were", () => {
  const page = pageOf();
  page.open("one", { token_ids: [[7]], positions: [6] });
  page.do({ type: "submitted", submission: AGAIN });
  page.write("branch", 0);
  expect(page.shown()).toEqual({ token_ids: [[7]], positions: [] });
  page.do({ type: "stopped" });
  expect(page.shown()).toEqual({ token_ids: [[7]], positions: [6] });
});

test("a branch whose events all come at once has the pins too", () => {
  const page = pageOf();
  page.open("one", { token_ids: [[7]], positions: [2] });
  const start = EVENTS.map((event) =>
    event.type === "start" ? { ...event, conversation_id: "branch" } : event,
  );
  page.do(
    { type: "submitted", submission: AGAIN },
    ...start.map((event): ChatAction => ({ type: "received", at: 0, event })),
  );
  expect(page.shown()).toEqual({ token_ids: [[7]], positions: [2] });
  expect(page.unsaved()).toEqual([]);
});

test("a branch has the pins of the page; those that the server cannot know of are to be saved", () => {
  const page = pageOf();
  page.apply((before) => visited(before, "one", { token_ids: [[5]], positions: [] }));
  page.open("one", { token_ids: [[7]], positions: [] });
  expect([page.shown().token_ids, page.unsaved()]).toEqual([[[5]], []]);
  page.do({ type: "submitted", submission: AGAIN });
  page.write("branch", 4);
  expect(page.unsaved()).toEqual([
    { id: "branch", pins: { token_ids: [[5]], positions: [] }, saved: { token_ids: [[7]], positions: [] } },
  ]);
});

test("continuing a conversation keeps all of its pins", () => {
  const page = pageOf();
  page.open("one", { token_ids: [[7]], positions: [6] });
  page.do({ type: "submitted", submission: HELLO });
  page.write("one", 4);
  expect(page.shown()).toEqual({ token_ids: [[7]], positions: [6] });
});

test.each<[string, ChatAction]>([
  ["is stopped", { type: "stopped" }],
  ["fails", FAILED],
])("a position beyond the text goes with a message that %s before its reply has begun", (_, end) => {
  const page = pageOf();
  page.open("one", { token_ids: [[7]], positions: [2] });
  page.do({ type: "submitted", submission: HELLO });
  page.change((before) => withPosition(before, 8));
  expect(page.shown().positions).toEqual([2, 8]);
  page.do(end);
  expect(page.shown()).toEqual({ token_ids: [[7]], positions: [2] });
  expect(page.unsaved()).toEqual([]);
});

test("a position in what was written of a reply that was stopped stays, and is to be saved", () => {
  const page = pageOf();
  page.open("one");
  page.do({ type: "submitted", submission: HELLO });
  page.write("one", 1, [...PROMPT, ...PROMPT]);
  page.change((before) => withPosition(before, 12));
  page.do({ type: "stopped" });
  expect(page.shown().positions).toEqual([12]);
  expect(page.unsaved()).toHaveLength(1);
});

test("a position that an address names outside of the text falls away when the text is known", () => {
  const page = pageOf();
  page.apply((before) => visited(before, "one", { token_ids: [[5]], positions: [2, 8, 9999] }));
  page.open("one");
  expect(page.shown()).toEqual({ token_ids: [[5]], positions: [2] });
});

test("pins of a conversation that is shown without its text stay", () => {
  const page = pageOf();
  page.apply((before) => visited(before, "one", { token_ids: [[5]], positions: [2] }));
  const model = { ...IDENTITY, revision: "other" };
  const saved = savedConversation({ id: "one", model, is_readable: false, tokens: [], turns: [] });
  page.show(openingChatState(1, "chat", "one"));
  page.do({ type: "reopened", saved });
  expect(page.shown()).toEqual({ token_ids: [[5]], positions: [2] });
});

test("reading a conversation again with unsaved pins shows what another page has pinned besides", () => {
  const page = pageOf();
  page.open("one", { token_ids: [[5], [6]], positions: [] });
  page.change(pin(7));
  page.change((before) => withoutToken(before, 6));
  const colours = page.state().pins;
  page.open("one", { token_ids: [[5], [6], [8]], positions: [3] });
  expect(page.shown()).toEqual({ token_ids: [[5], [7], [8]], positions: [3] });
  expect(page.state().pins.slice(0, 2)).toEqual(colours);
  // The next write takes nothing of it for let go.
  const [write] = page.unsaved();
  expect(write?.saved).toEqual({ token_ids: [[5], [6], [8]], positions: [3] });
  expect(write?.pins).toEqual(page.shown());
});

test("reading a conversation again with unsaved pins leaves them as they are where nothing was added", () => {
  const page = pageOf();
  page.open("one");
  page.change(pin(7));
  const before = page.state();
  page.open("one");
  expect(page.state()).toBe(before);
  expect(page.unsaved()).toHaveLength(1);
});

test("pins that are as they were keep their texts and colours when they are read again", () => {
  const page = pageOf();
  page.open("one");
  page.change(pin(5));
  page.change(pin(6));
  page.change((before) => withPosition(before, 3));
  const pins = page.shown();
  page.apply((before) => saved(before, "one", pins));
  let before: PinState | undefined;
  page.apply((all) => {
    before = shownPins(all);
    return all;
  });
  page.open("one", { token_ids: [[5], [6]], positions: [3] });
  page.apply((all) => {
    expect(shownPins(all)).toBe(before);
    return all;
  });
  page.open("one", { token_ids: [[6]], positions: [] });
  expect(page.shown()).toEqual({ token_ids: [[6]], positions: [] });
});

test("what another page has changed is shown when a conversation is opened again", () => {
  const page = pageOf();
  page.open("one", { token_ids: [[5]], positions: [] });
  page.open("two");
  page.open("one", { token_ids: [[8]], positions: [] });
  expect(page.shown()).toEqual({ token_ids: [[8]], positions: [] });
});

test("of a conversation that is gone nothing is left to be saved", () => {
  const page = pageOf();
  page.open("one");
  page.change(pin(5));
  page.show(initialChatState(2, "chat"));
  expect(page.unsaved()).toHaveLength(1);
  page.apply((before) => forgotten(before, "one"));
  expect(page.unsaved()).toEqual([]);
});
