/** Several conversations on the whole page: replies that go on, edits, links, and a model that changes. */
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { StrictMode } from "react";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { storedName } from "@/base/stored";
import type { ChatRequest } from "@/features/chat/stream";
import type { SavedConversation } from "@/features/library/conversations";
import { EVENTS, IDENTITY, openAnswer, token } from "@/test/recordedStream";
import { branch, savedConversation, summary } from "@/test/saved";
import { HEALTH, MODEL, refused, server } from "@/test/server";
import { App } from "./App";

let chats: ChatRequest[];
let answers: ReturnType<typeof openAnswer>[];
/** What the server holds, by id. */
let held: Map<string, SavedConversation>;

const hold = (id: string, more: Partial<SavedConversation> = {}): void => {
  held.set(id, savedConversation({ id, conversation_id: id, title: id, branches: [branch(id)], ...more }));
};

beforeAll(() => server.listen({ onUnhandledRequest: "bypass" }));
/** Tokens of the recorded conversation, and a chip for each of its two templates. */
const N_SHOWN = 3 + 2;

beforeEach(() => {
  chats = [];
  answers = [];
  held = new Map();
  hold("one");
  hold("two");
  window.localStorage.setItem(storedName("sidebar"), "true");
  server.use(
    http.get("*/api/conversations", () =>
      HttpResponse.json({
        conversations: [...held.keys()].map((id) => summary(id)),
        total: held.size,
      }),
    ),
    http.get("*/api/conversations/:id", ({ params }) => {
      const saved = held.get(String(params["id"]));
      return saved === undefined ? refused("conversation_not_found", 404) : HttpResponse.json(saved);
    }),
    http.post("*/api/chat", async ({ request }) => {
      chats.push((await request.json()) as ChatRequest);
      const answer = openAnswer(request.signal);
      answers.push(answer);
      return answer.response;
    }),
    // None of these tests' business.
    http.post("*/api/lens", () => new Promise<never>(() => undefined)),
  );
});
afterEach(() => {
  server.resetHandlers();
  window.history.replaceState(null, "", "/");
});
afterAll(() => server.close());

const events = (id: string) =>
  EVENTS.map((event) => (event.type === "start" ? { ...event, conversation_id: id } : event));

/** The first events of a reply, kept as `id`. */
async function write(nth: number, id: string, from: number, to: number): Promise<void> {
  await waitFor(() => expect(answers.length).toBeGreaterThan(nth));
  act(() => {
    for (const event of events(id).slice(from, to)) answers[nth]?.send(event);
  });
}

const composer = () => screen.getByRole("textbox", { name: "Message" });
const tokens = () => screen.findByRole("listbox", { name: "Tokens of the conversation" });
const list = () => screen.findByRole("navigation", { name: "Conversations" });
const goTo = async (id: string): Promise<void> => {
  fireEvent.click(await within(await list()).findByRole("button", { name: new RegExp(`^Title of ${id}`) }));
};

async function openAt(query: string) {
  window.history.replaceState(null, "", `/${query}`);
  const user = userEvent.setup({ delay: null });
  render(<App />);
  await screen.findByText("Ready");
  return user;
}

/** The page as it is while the conversation of its address is on its way. */
async function openWaiting(query: string) {
  window.history.replaceState(null, "", `/${query}`);
  const user = userEvent.setup({ delay: null });
  render(<App />);
  await screen.findByText("Opening the conversation…");
  return user;
}

test("a reply goes on while another conversation is shown, and Stop ends the one that is shown", async () => {
  const user = await openAt("");
  await user.type(composer(), "Hello{Enter}");
  await write(0, "fresh", 0, 2);
  hold("fresh", {
    turns: [{ start: 0, reply_start: 6, end: 8, finish_reason: "cancelled", sampling: null }],
  });
  await goTo("two");
  await waitFor(() => expect(window.location.search).toContain("c=two"));
  expect(await within(await list()).findByText("generating…")).toBeInTheDocument();
  await write(0, "fresh", 2, 4);
  await goTo("fresh");
  expect(await screen.findByRole("option", { name: "dich" })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Stop" }));
  expect(await screen.findByText("Stopped; the text so far is kept.")).toBeInTheDocument();
  expect(chats).toHaveLength(1);
});

test("opening another conversation before the reply has begun does not end it either", async () => {
  const user = await openAt("");
  await user.type(composer(), "Hello{Enter}");
  await goTo("two");
  expect(await within(await list()).findByRole("list", { name: "Not saved yet" })).toHaveTextContent("Hello");
  await waitFor(() => expect(window.location.search).toContain("c=two"));
  hold("fresh");
  await write(0, "fresh", 0, 5);
  await goTo("fresh");
  expect(await screen.findByRole("option", { name: "dich" })).toBeInTheDocument();
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("two replies run at once, and each is written where it belongs", async () => {
  const user = await openAt("");
  await user.type(composer(), "Hello{Enter}");
  await write(0, "fresh", 0, 2);
  await goTo("two");
  await waitFor(() => expect(window.location.search).toContain("c=two"));
  await screen.findByRole("button", { name: "Regenerate" });
  await user.type(composer(), "More{Enter}");
  await write(1, "two", 0, 2);
  expect(chats[1]).toMatchObject({ conversation_id: "two", from_index: 8 });
  await write(0, "fresh", 2, 5);
  expect(screen.queryByRole("option", { name: "dich" })).not.toBeInTheDocument();
  await write(1, "two", 2, 5);
  expect(await screen.findByRole("option", { name: "dich" })).toBeInTheDocument();
});

test("a message refused in the background is reported in its conversation, with its text", async () => {
  const user = await openAt("");
  let refuse: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => (refuse = resolve));
  server.use(http.post("*/api/chat", () => waiting.then(() => refused("queue_full", 429))));
  await user.type(composer(), "Hello{Enter}");
  await goTo("two");
  await waitFor(() => expect(window.location.search).toContain("c=two"));
  refuse();
  const unsent = await within(await list()).findByRole("list", { name: "Not saved yet" });
  await within(unsent).findByText("interrupted");
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  await user.click(within(unsent).getByRole("button"));
  expect(await screen.findByRole("alert")).toHaveTextContent("It did not work.");
  expect(composer()).toHaveValue("Hello");
});

test("an edit stays with its conversation", async () => {
  const user = await openAt("?c=one");
  await user.type(composer(), "a draft");
  await user.click(await screen.findByRole("button", { name: "Edit message" }));
  await user.type(composer(), " again");
  await goTo("two");
  await waitFor(() => expect(window.location.search).toContain("c=two"));
  await screen.findByRole("button", { name: "Regenerate" });
  expect(screen.queryByText(/Editing your last message/)).not.toBeInTheDocument();
  expect(composer()).toHaveValue("a draft");
  await user.type(composer(), "{Enter}");
  await waitFor(() => expect(chats).toHaveLength(1));
  expect(chats[0]).toMatchObject({ conversation_id: "two", from_index: 8 });
  await goTo("one");
  await waitFor(() => expect(composer()).toHaveValue("Hello again"));
});

test("nothing can be sent while a conversation is being opened", async () => {
  let answer: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => (answer = resolve));
  server.use(
    http.get("*/api/conversations/one", () => waiting.then(() => HttpResponse.json(held.get("one")))),
  );
  const user = await openWaiting("?c=one");
  await user.type(composer(), "Hello{Enter}");
  expect(chats).toEqual([]);
  expect(composer()).toHaveValue("Hello");
  answer();
  await tokens();
  await user.type(composer(), "{Enter}");
  await waitFor(() => expect(chats[0]?.conversation_id).toBe("one"));
});

test("a link that is opened while the server is away keeps its address, and opens when it is back", async () => {
  let isAway = true;
  const away = () => (isAway ? HttpResponse.error() : undefined);
  server.use(
    http.get("*/api/health", away),
    http.get("*/api/conversations/:id", away),
    http.get("*/api/conversations", away),
  );
  window.history.replaceState(null, "", "/?c=one&t=6");
  render(<App />);
  expect(await screen.findByText(/The server is not responding\. The page reconnects/)).toBeInTheDocument();
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  expect(window.location.search).toBe("?c=one&t=6");
  isAway = false;
  expect(within(await tokens()).getByRole("option", { name: "Grüß" })).toHaveAttribute(
    "aria-selected",
    "true",
  );
});

test("a link is opened in StrictMode, which mounts everything twice", async () => {
  window.history.replaceState(null, "", "/?c=one");
  render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
  expect(within(await tokens()).getAllByRole("option")).toHaveLength(N_SHOWN);
});

test("a reply that is cut is read again from the server, which may hold more of it", async () => {
  const user = await openAt("");
  await user.type(composer(), "Hello{Enter}");
  await write(0, "fresh", 0, 2);
  hold("fresh", {
    turns: [{ start: 0, reply_start: 6, end: 8, finish_reason: "cancelled", sampling: null }],
  });
  answers[0]?.end();
  expect(await screen.findByRole("alert")).toHaveTextContent(/The text so far is kept/);
  expect(await screen.findByRole("option", { name: "dich" })).toBeInTheDocument();
  expect(composer()).toHaveValue("");
  await user.click(await screen.findByRole("button", { name: "Continue" }));
  await waitFor(() => expect(chats).toHaveLength(2));
  expect(chats[1]).toMatchObject({ conversation_id: "fresh", messages: [], from_index: 8 });
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("a branch that is refused is tried again with the same tokens", async () => {
  server.use(http.post("*/api/chat", () => refused("queue_full", 429), { once: true }));
  const user = await openAt("?c=one");
  await user.click(await screen.findByRole("button", { name: "Regenerate" }));
  await user.click(await screen.findByRole("button", { name: "Retry" }));
  await waitFor(() => expect(chats).toHaveLength(1));
  expect(chats[0]).toMatchObject({ conversation_id: "one", messages: [], from_index: 6 });
});

test("a branch that is stopped before its first token is no place to come back to", async () => {
  const user = await openAt("?c=one");
  await tokens();
  const nPlaces = window.history.length;
  await user.click(await screen.findByRole("button", { name: "Regenerate" }));
  await waitFor(() => expect(answers).toHaveLength(1));
  const [start] = events("fresh");
  if (start?.type !== "start") throw new Error("no start was recorded");
  const prompt_tokens = start.prompt_tokens.with(0, token(0, "Begun", "user"));
  act(() => answers[0]?.send({ ...start, prompt_tokens }));
  expect(await screen.findByRole("option", { name: "Begun" })).toBeInTheDocument();
  await user.click(await screen.findByRole("button", { name: "Stop" }));
  await user.click(await screen.findByRole("button", { name: "Regenerate" }));
  await write(1, "second", 0, 2);
  await waitFor(() => expect(window.location.search).toContain("c=second"));
  expect(window.history.length).toBe(nPlaces + 1);
});

test("deleting a conversation does not throw who has gone on off the page", async () => {
  let answer: () => void = () => undefined;
  const waiting = new Promise<void>((resolve) => (answer = resolve));
  server.use(
    http.delete("*/api/conversations/:id", async ({ params }) => {
      await waiting;
      held.delete(String(params["id"]));
      return HttpResponse.json({ id: params["id"], restorable_until_ms: 1 });
    }),
  );
  const user = await openAt("?c=one");
  await tokens();
  await user.click(await screen.findByRole("button", { name: "More for Title of one" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete" }));
  await goTo("two");
  await waitFor(() => expect(window.location.search).toContain("c=two"));
  answer();
  expect(await screen.findByText("Deleted “Title of one”")).toBeInTheDocument();
  expect(window.location.search).toContain("c=two");
  expect(await tokens()).toBeInTheDocument();
});

/** The server comes back with another model. */
function restartWith(model: Partial<typeof MODEL>): void {
  const now = { ...MODEL, ...model };
  const { model_name, revision } = now;
  server.use(
    http.get("*/api/health", () =>
      HttpResponse.json({ ...HEALTH, model: model_name, revision, instance: "second" }),
    ),
    http.get("*/api/model_info", () => HttpResponse.json(now)),
  );
}

test.each([
  ["name", { model_name: "other-model", revision: "zzz" }],
  ["revision", { revision: "zzz" }],
])(
  "a server that comes back with another %s: nothing of the old model is shown under it",
  async (_, model) => {
    await openAt("?c=one&t=6");
    await tokens();
    restartWith(model);
    expect(
      await screen.findByText(/This conversation was held with/, {}, { timeout: 8000 }),
    ).toBeInTheDocument();
    expect(screen.getByText(`${IDENTITY.name}, revision ${String(IDENTITY.revision)}`)).toBeInTheDocument();
    expect(screen.queryByRole("listbox", { name: "Tokens of the conversation" })).not.toBeInTheDocument();
    expect(window.location.search).toContain("c=one");
    restartWith({});
    expect(await screen.findByRole("listbox", {}, { timeout: 8000 })).toBeInTheDocument();
  },
  30_000,
);

test("model facts are read again when the server was started again with the same model", async () => {
  await openAt("");
  restartWith({ note: "Fitted since." });
  expect(await screen.findByText("Fitted since.", {}, { timeout: 8000 })).toBeInTheDocument();
}, 20_000);

test("a conversation reopens in the mode that it was held in, whatever its template looks like", async () => {
  const marks = savedConversation().tokens.map((each) =>
    each.role === "template" ? { ...each, special: true } : each,
  );
  hold("one", { tokens: marks });
  await openAt("?c=one");
  await tokens();
  expect(screen.getByRole("textbox", { name: "Message" })).toBeInTheDocument();
});

test("the brackets lead back from a place beyond the text of a shorter branch", async () => {
  const user = await openAt("?c=one&t=900");
  await tokens();
  await user.keyboard("[[");
  expect(await tokens()).toHaveAttribute("aria-activedescendant", "token-7");
});

test("a reply that ends is stored and shown complete to who comes back", async () => {
  const user = await openAt("");
  await user.type(composer(), "Hello{Enter}");
  await write(0, "fresh", 0, 2);
  await goTo("two");
  await waitFor(() => expect(window.location.search).toContain("c=two"));
  hold("fresh");
  await write(0, "fresh", 2, 5);
  await waitFor(async () => expect(within(await list()).queryByText("generating…")).toBeNull());
  await goTo("fresh");
  expect(await screen.findByRole("option", { name: "dich" })).toBeInTheDocument();
});
