/** Saved conversations on the whole page: opened, of another model, pinned, branched. */
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { storedName } from "@/base/stored";
import type { ChatRequest } from "@/features/chat/stream";
import type { ConversationChanges } from "@/features/library/conversations";
import { EVENTS, IDENTITY, frame, streamAnswer } from "@/test/recordedStream";
import { branch, savedConversation, summary } from "@/test/saved";
import { HEALTH, MODEL, server } from "@/test/server";
import { App } from "./App";

/** What is kept of `conversation-1`, and what was asked of the server. */
let saved = savedConversation();
let changes: ConversationChanges[];
let chats: ChatRequest[];

beforeAll(() => server.listen({ onUnhandledRequest: "bypass" }));
/** Tokens of the recorded conversation, and a chip for each of its two templates. */
const N_SHOWN = 3 + 2;

beforeEach(() => {
  saved = savedConversation();
  changes = [];
  chats = [];
  server.use(
    http.get("*/api/conversations", () =>
      HttpResponse.json({ conversations: [summary("conversation-1")], total: 1 }),
    ),
    http.get("*/api/conversations/:id", ({ params }) =>
      HttpResponse.json({ ...saved, id: String(params["id"]) }),
    ),
    http.patch("*/api/conversations/:id", async ({ request }) => {
      changes.push((await request.json()) as ConversationChanges);
      return HttpResponse.json(summary("conversation-1"));
    }),
    http.post("*/api/chat", async ({ request }) => {
      chats.push((await request.json()) as ChatRequest);
      return streamAnswer(EVENTS.map(frame).join(""));
    }),
  );
});
afterEach(() => {
  server.resetHandlers();
  window.history.replaceState(null, "", "/");
});
afterAll(() => server.close());

function openAt(query: string) {
  window.history.replaceState(null, "", `/${query}`);
  const user = userEvent.setup();
  render(<App />);
  return user;
}

const tokens = () => screen.findByRole("listbox", { name: "Tokens of the conversation" });

test("the list opens a conversation, and the address names it", async () => {
  window.localStorage.setItem(storedName("sidebar"), "true");
  const user = openAt("");
  await user.click(await screen.findByRole("button", { name: "Title of conversation-1" }));
  expect(within(await tokens()).getAllByRole("option")).toHaveLength(N_SHOWN);
  expect(window.location.search).toContain("c=conversation-1");
  expect(screen.getByRole("button", { name: "Title of conversation-1" })).toHaveAttribute(
    "aria-current",
    "page",
  );
});

test("the list can be hidden, and stays so", async () => {
  window.localStorage.setItem(storedName("sidebar"), "true");
  const user = openAt("");
  await screen.findByRole("navigation", { name: "Conversations" });
  await user.click(screen.getByRole("button", { name: "Hide the conversations" }));
  expect(screen.queryByRole("navigation", { name: "Conversations" })).not.toBeInTheDocument();
  expect(window.localStorage.getItem(storedName("sidebar"))).toBe("false");
});

test("a conversation of another model says which one is missing, and keeps its address", async () => {
  saved = savedConversation({
    is_readable: false,
    tokens: [],
    model: { name: "gpt2", revision: "607a30d783dfa663", source: "hub" },
    text: "Bonjour",
  });
  openAt("?c=conversation-1");
  expect(await screen.findByText("gpt2, revision 607a30d783df")).toBeInTheDocument();
  expect(screen.getByText("make run MODEL=gpt2")).toBeInTheDocument();
  expect(screen.getByText("Bonjour")).toBeInTheDocument();
  expect(screen.queryByRole("listbox", { name: "Tokens of the conversation" })).not.toBeInTheDocument();
  expect(window.location.search).toContain("c=conversation-1");
});

test("another revision of the running model is told apart", async () => {
  saved = savedConversation({
    is_readable: false,
    tokens: [],
    model: { name: "tiny", revision: "old", source: "hub" },
  });
  openAt("?c=conversation-1");
  expect(await screen.findByText("tiny, revision old")).toBeInTheDocument();
  expect(screen.getByText("revision abc")).toBeInTheDocument();
  expect(screen.getByText("EXPLORER_REVISION=old")).toBeInTheDocument();
});

test("a page that is opened while the model loads waits for it", async () => {
  const error = { code: "model_loading", message: "Loading.", hint: null, param: null, request_id: "r" };
  server.use(
    http.get(
      "*/api/health",
      () => HttpResponse.json({ ...HEALTH, status: "loading", detail: "Reading weights." }, { status: 503 }),
      { once: true },
    ),
    http.get("*/api/conversations/:id", () => HttpResponse.json({ error }, { status: 503 }), { once: true }),
  );
  openAt("?c=conversation-1");
  expect(await screen.findByText("Reading weights.")).toBeInTheDocument();
  expect(within(await tokens()).getAllByRole("option")).toHaveLength(N_SHOWN);
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("a conversation that is gone says so", async () => {
  const error = {
    code: "conversation_not_found",
    message: "There is no conversation with this id.",
    hint: null,
    param: null,
    request_id: "r",
  };
  server.use(http.get("*/api/conversations/:id", () => HttpResponse.json({ error }, { status: 404 })));
  openAt("?c=gone");
  expect(await screen.findByRole("alert")).toHaveTextContent("There is no conversation with this id.");
});

test("opening brings the pins back, and what is unpinned is saved", async () => {
  saved = savedConversation({ pins: { token_ids: [[7], [8, 9]], positions: [2] } });
  const user = openAt("?c=conversation-1");
  await waitFor(() => expect(window.location.search).toContain("pin=7.8-9&at=2"));
  expect(changes).toEqual([]);
  await user.click(within(await tokens()).getByRole("option", { name: "Grüß" }));
  await user.keyboard("3");
  await user.click(await screen.findByRole("button", { name: "Unpin all" }));
  await waitFor(() =>
    expect(changes).toEqual([{ pins: { token_ids: [], positions: [] }, annotations_revision: 0 }]),
  );
});

test("pins that another page has made meanwhile are kept, those that are let go here are not", async () => {
  saved = savedConversation({ pins: { token_ids: [[7], [8, 9]], positions: [2] } });
  const user = openAt("?c=conversation-1");
  await waitFor(() => expect(window.location.search).toContain("pin=7.8-9&at=2"));
  await user.click(within(await tokens()).getByRole("option", { name: "Grüß" }));
  await user.keyboard("3");
  saved = { ...saved, pins: { token_ids: [[7], [8, 9], [5]], positions: [2, 1] }, annotations_revision: 4 };
  await user.click(await screen.findByRole("button", { name: "Unpin all" }));
  await waitFor(() =>
    expect(changes).toEqual([{ pins: { token_ids: [[5]], positions: [1] }, annotations_revision: 4 }]),
  );
});

test("pins of the address outrank those that were saved, and are not written over them", async () => {
  saved = savedConversation({ pins: { token_ids: [[7]], positions: [] } });
  openAt("?c=conversation-1&pin=5");
  await tokens();
  await new Promise((resolve) => setTimeout(resolve, 900)); // longer than the pause before a save
  expect(window.location.search).toContain("pin=5");
  expect(changes).toEqual([]);
});

test("an alternative is the beginning of a branch, selected where it stands", async () => {
  const user = openAt("?c=conversation-1");
  server.use(
    http.post("*/api/lens", async ({ request }) => {
      const { positions } = (await request.json()) as { positions: [number, number] };
      const count = positions[1] - positions[0];
      const fill = <T,>(value: T): T[] => Array.from({ length: count }, () => value);
      return HttpResponse.json({
        model: "tiny",
        model_identity: IDENTITY,
        kind: "logit",
        layers: [2],
        labels: ["2"],
        tokens: [],
        positions: Array.from({ length: count }, (_, i) => positions[0] + i),
        top_ids: [fill([106, 55])],
        top_probabilities: [fill([0.5, 0.25])],
        vocabulary: { 106: " Grüß", 55: " Hallo" },
        vocabulary_bytes: {},
        entropy_nats: [fill(1)],
        kl_to_final_nats: [fill(0)],
        next_probability: [fill(0.5)],
        next_rank: [fill(1)],
        targets: [],
      });
    }),
  );
  await user.click(within(await tokens()).getByRole("option", { name: "Grüß" }));
  const trigger = await screen.findByRole("button", { name: "Branch" });
  await user.click(trigger);
  const dialog = await screen.findByRole("dialog", { name: "Alternatives" });
  expect(await within(dialog).findByRole("button", { name: /^Continue with ·Grüß/ })).toBeDisabled();
  await user.click(within(dialog).getByRole("button", { name: "Continue with ·Hallo, probability 0.250" }));
  await waitFor(() => expect(chats).toHaveLength(1));
  expect(chats[0]).toMatchObject({
    conversation_id: "conversation-1",
    messages: [],
    from_index: 6,
    continue_with: [55],
  });
  await waitFor(() => expect(screen.queryByRole("dialog", { name: "Alternatives" })).not.toBeInTheDocument());
  await waitFor(() =>
    expect(screen.getByRole("listbox", { name: "Tokens of the conversation" })).toHaveAttribute(
      "aria-activedescendant",
      "token-6",
    ),
  );
});

test("an example is explained on the branch that it describes, and elsewhere the way there", async () => {
  const greeting = { title: "A greeting", mode: "chat" as const, text: "Hello", note: "Look." };
  server.use(http.get("*/api/model_info", () => HttpResponse.json({ ...MODEL, examples: [greeting] })));
  const branches = [
    branch("conversation-1"),
    branch("other", { parent_id: "conversation-1", from_index: 6 }),
  ];
  saved = savedConversation({ branches });
  const user = openAt("?c=other&t=6");
  await user.click(await screen.findByRole("button", { name: "Go to branch 1" }));
  expect(await screen.findByRole("region", { name: "What to see" })).toBeVisible();
  expect(window.location.search).toContain("c=conversation-1");
  expect(screen.queryByRole("button", { name: "Go to branch 1" })).not.toBeInTheDocument();
});
