/** Pins on the whole page: they belong to the conversation in which they were made. */
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { App } from "@/app/App";
import { storedName } from "@/base/stored";
import type { SavedConversation } from "@/features/library/conversations";
import { EVENTS, frame, openAnswer, streamAnswer, token } from "@/test/recordedStream";
import { branch, savedConversation, summary } from "@/test/saved";
import { refused, server } from "@/test/server";

type SavedPins = SavedConversation["pins"];

const NONE: SavedPins = { token_ids: [], positions: [] };

/** What is kept of each conversation, and each change in the order in which it came. */
let kept: Map<string, SavedPins>;
let refuses: boolean;
let changes: { readonly id: string; readonly pins: SavedPins }[];

/** The text of `one`, which grows with what is sent to it. */
let textOfOne: SavedConversation["tokens"];

/** A reply that is kept as `id`. */
const answerAs = (id: string) =>
  http.post<never, { conversation_id?: string; from_index?: number }>("*/api/chat", async ({ request }) => {
    const { conversation_id: from = "", from_index: length = 0 } = await request.json();
    const events = EVENTS.map((event) =>
      event.type === "start" ? { ...event, conversation_id: id } : event,
    );
    // A branch has the pins of the text that it shares.
    const shared = kept.get(from) ?? NONE;
    const positions = (shared.positions ?? []).filter((position) => position < length);
    if (!kept.has(id)) kept.set(id, { ...shared, positions });
    return streamAnswer(events.map(frame).join(""), 64);
  });

beforeAll(() => server.listen({ onUnhandledRequest: "bypass" }));
beforeEach(() => {
  kept = new Map([
    ["one", NONE],
    ["two", NONE],
  ]);
  changes = [];
  refuses = false;
  textOfOne = savedConversation().tokens;
  window.localStorage.setItem(storedName("sidebar"), "true");
  server.use(
    http.get("*/api/conversations", () =>
      HttpResponse.json({ conversations: [summary("one"), summary("two")], total: 2 }),
    ),
    http.get("*/api/conversations/:id", ({ params }) => {
      const id = String(params["id"]);
      const pins = kept.get(id);
      if (pins === undefined) return refused("conversation_not_found", 404);
      const tokens = id === "one" ? textOfOne : savedConversation().tokens;
      const branches = [branch(id, { n_tokens: tokens.length })];
      return HttpResponse.json(savedConversation({ id, conversation_id: id, branches, tokens, pins }));
    }),
    http.patch<{ id: string }, { pins: SavedPins }>(
      "*/api/conversations/:id",
      async ({ request, params }) => {
        const { pins } = await request.json();
        if (refuses) return refused("internal_error", 500);
        kept.set(params.id, pins);
        changes.push({ id: params.id, pins });
        return HttpResponse.json(summary(params.id));
      },
    ),
    answerAs("three"),
  );
});
afterEach(() => {
  server.resetHandlers();
  server.events.removeAllListeners();
  window.history.replaceState(null, "", "/");
  vi.restoreAllMocks();
});
afterAll(() => server.close());

async function openAt(query: string) {
  window.history.replaceState(null, "", `/${query}`);
  const user = userEvent.setup();
  render(<App />);
  await screen.findByRole("option", { name: "Grüß" });
  return user;
}

type User = ReturnType<typeof userEvent.setup>;

/** By the list; waits until its tokens are there. */
async function goTo(user: User, id: "one" | "two"): Promise<void> {
  await user.click(await screen.findByRole("button", { name: `Title of ${id}` }));
  await waitFor(() => expect(window.location.search).toContain(`c=${id}`));
  await screen.findByRole("option", { name: "Grüß" });
}

/** The next message to `one` becomes these tokens; its reply has at most this one, and does not end. */
function continueWith(message: readonly string[], reply?: string): void {
  const start = EVENTS[0];
  if (start?.type !== "start") throw new Error("no start");
  const { tokens } = savedConversation();
  const prompt = [...tokens, ...message.map((text, i) => token(tokens.length + i, text, "user"))];
  const written = reply === undefined ? [] : [token(prompt.length, reply, "assistant")];
  server.use(
    http.post("*/api/chat", ({ request }) => {
      const { response, send } = openAnswer(request.signal);
      request.signal.addEventListener("abort", () => (textOfOne = [...prompt, ...written]));
      send({ ...start, conversation_id: "one", prompt_tokens: prompt });
      for (const each of written) send({ type: "token", token: each });
      return response;
    }),
  );
}

/** Pins the position where `Grüß`, at index 6, was predicted. */
async function pinPosition(user: User): Promise<void> {
  await user.click(screen.getByRole("option", { name: "Grüß" }));
  await user.keyboard("3");
  await user.click(await screen.findByRole("button", { name: "Pin this position" }));
}

/** Longer than the pause before pins are saved. */
const rest = () => act(() => new Promise((resolve) => setTimeout(resolve, 900)));

const pinsOfAddress = () =>
  [...new URLSearchParams(window.location.search)].filter(([name]) => name === "pin" || name === "at");

test("a conversation that is opened has its own pins, and those of the one before it are gone", async () => {
  kept.set("one", { token_ids: [[7]], positions: [2] });
  const user = await openAt("?c=one");
  await waitFor(() => expect(window.location.search).toContain("pin=7&at=2"));
  await goTo(user, "two");
  expect(pinsOfAddress()).toEqual([]);
  await rest();
  expect(changes).toEqual([]);
  expect(pinsOfAddress()).toEqual([]);
  await goTo(user, "one");
  expect(window.location.search).toContain("pin=7&at=2");
});

test("a new conversation begins with no pins", async () => {
  kept.set("one", { token_ids: [[7]], positions: [2] });
  const user = await openAt("?c=one");
  await waitFor(() => expect(window.location.search).toContain("pin=7&at=2"));
  const list = within(await screen.findByRole("navigation", { name: "Conversations" }));
  await user.click(list.getByRole("button", { name: "New" }));
  await user.type(screen.getByRole("textbox", { name: "Message" }), "Hello{Enter}");
  await waitFor(() => expect(window.location.search).toContain("c=three"));
  await screen.findByRole("option", { name: "dich" });
  await rest();
  expect(pinsOfAddress()).toEqual([]);
  expect(changes).toEqual([]);
});

test("what is pinned just before another conversation is opened is saved to the one it was pinned in", async () => {
  const user = await openAt("?c=one");
  await pinPosition(user);
  await goTo(user, "two");
  await waitFor(() => expect(changes).toEqual([{ id: "one", pins: { token_ids: [], positions: [5] } }]));
  await goTo(user, "one");
  await waitFor(() => expect(window.location.search).toContain("at=5"));
  await rest();
  expect(changes).toHaveLength(1);
});

test("what is pinned just before a new conversation is begun is saved to the one it was pinned in", async () => {
  const user = await openAt("?c=one");
  await pinPosition(user);
  await user.click(await screen.findByRole("button", { name: "New" }));
  await waitFor(() => expect(changes).toEqual([{ id: "one", pins: { token_ids: [], positions: [5] } }]));
  expect(window.location.search).not.toContain("c=one");
});

test("opening the shown conversation again keeps what was just pinned in it", async () => {
  const user = await openAt("?c=one");
  await pinPosition(user);
  await goTo(user, "one");
  await rest();
  expect(window.location.search).toContain("at=5");
  expect(kept.get("one")).toEqual({ token_ids: [], positions: [5] });
});

test("what is pinned just before the page is left is saved", async () => {
  const user = await openAt("?c=one");
  await pinPosition(user);
  act(() => void window.dispatchEvent(new Event("pagehide")));
  await waitFor(() => expect(changes).toEqual([{ id: "one", pins: { token_ids: [], positions: [5] } }]), {
    timeout: 300, // before the pause is over
  });
});

test("a position in a message whose reply was stopped before its first token stays with the message", async () => {
  continueWith(["\n", " Once", " more"]);
  const user = await openAt("?c=one");
  await pinPosition(user);
  await waitFor(() => expect(changes).toHaveLength(1));
  await user.type(screen.getByRole("textbox", { name: "Message" }), "Once more{Enter}");
  await user.click(await screen.findByRole("option", { name: "more" })); // index 10
  await user.click(await screen.findByRole("button", { name: "Pin this position" }));
  await waitFor(() => expect(window.location.search).toContain("at=5.9"));
  act(() => void window.dispatchEvent(new Event("pagehide")));
  await waitFor(() => expect(changes).toHaveLength(2));
  expect(changes[1]?.pins.positions).toEqual([5]); // the server may not have the message yet
  await user.click(screen.getByRole("button", { name: "Stop" }));
  await waitFor(() => expect(kept.get("one")?.positions).toEqual([5, 9]));
  expect(window.location.search).toContain("at=5.9");
});

test("a position in a reply that was stopped just before the page is left does not take the others along", async () => {
  continueWith([" Once"], " again");
  const user = await openAt("?c=one");
  await pinPosition(user);
  await waitFor(() => expect(changes).toHaveLength(1));
  await user.type(screen.getByRole("textbox", { name: "Message" }), "Once{Enter}");
  await user.click(await screen.findByRole("option", { name: "again" })); // index 9
  await user.click(await screen.findByRole("button", { name: "Pin this position" }));
  await waitFor(() => expect(window.location.search).toContain("at=5.8"));
  fireEvent.click(screen.getByRole("button", { name: "Stop" }));
  act(() => void window.dispatchEvent(new Event("pagehide")));
  await waitFor(() => expect(changes).toHaveLength(2));
  expect(changes[1]?.pins.positions).toEqual([5]);
  // Who stays has it saved a moment later.
  await waitFor(() => expect(kept.get("one")?.positions).toEqual([5, 8]));
});

test("a position that an address names outside of the text is never sent", async () => {
  const user = await openAt("?c=one&at=9999");
  await pinPosition(user);
  await waitFor(() => expect(changes).toEqual([{ id: "one", pins: { token_ids: [], positions: [5] } }]));
});

test("pins that could not be saved are there again when one comes back, and are saved then", async () => {
  refuses = true;
  const user = await openAt("?c=one");
  await pinPosition(user);
  await goTo(user, "two");
  expect(await screen.findByText(/The pins are not saved/)).toBeInTheDocument();
  expect(pinsOfAddress()).toEqual([]);
  await goTo(user, "one");
  expect(window.location.search).toContain("at=5");
  refuses = false;
  await waitFor(() => expect(changes).toEqual([{ id: "one", pins: { token_ids: [], positions: [5] } }]));
});

test("a branch that is made on the page has the pins of the text that it shares, at every moment", async () => {
  kept.set("one", { token_ids: [[7]], positions: [2, 6] });
  const user = await openAt("?c=one");
  await waitFor(() => expect(window.location.search).toContain("pin=7&at=2.6"));
  kept.set("three", { token_ids: [[7]], positions: [2] }); // as the server makes a branch
  const addresses: string[] = [];
  for (const change of ["pushState", "replaceState"] as const) {
    const original = window.history[change].bind(window.history);
    vi.spyOn(window.history, change).mockImplementation((data, unused, url) => {
      addresses.push(String(url));
      original(data, unused, url);
    });
  }
  await user.click(screen.getByRole("button", { name: "Regenerate" }));
  await waitFor(() => expect(window.location.search).toContain("c=three"));
  await screen.findByRole("option", { name: "dich" });
  await rest();
  expect(addresses.length).toBeGreaterThan(0);
  for (const address of addresses) expect(address).toContain("pin=7&at=2");
  expect(window.location.search).toMatch(/&pin=7&at=2(&|$)/);
  expect(changes).toEqual([]);
  await goTo(user, "one");
  expect(window.location.search).toContain("pin=7&at=2.6");
});

test("what is pinned just before a branch is made is saved to both", async () => {
  const user = await openAt("?c=one");
  await pinPosition(user);
  await user.click(screen.getByRole("button", { name: "Regenerate" }));
  await waitFor(() => expect(window.location.search).toContain("c=three"));
  const pins = { token_ids: [], positions: [5] };
  await waitFor(() =>
    expect([...kept]).toEqual([
      ["one", pins],
      ["two", NONE],
      ["three", pins],
    ]),
  );
  expect(window.location.search).toContain("at=5");
});

/** Ids whose text was asked for. */
function watchAsked(): string[] {
  const asked: string[] = [];
  server.events.on("request:start", ({ request }) => {
    const id = /\/api\/tokens\/(\d+)$/.exec(new URL(request.url).pathname)?.[1];
    if (id !== undefined) asked.push(id);
  });
  return asked;
}

test("a token of which the address has the id is named by the server", async () => {
  const asked = watchAsked();
  const user = await openAt("?c=one&pin=5-8");
  await user.click(screen.getByRole("option", { name: "Grüß" }));
  await user.keyboard("3");
  const values = await screen.findByRole("region", { name: "Values" });
  await waitFor(() => expect(values).toHaveTextContent("sum of ·t5 + ·t8"));
  expect(asked.toSorted()).toEqual(["5", "8"]);
});

test("no model but its own is asked what the pinned ids of a conversation stand for", async () => {
  const asked = watchAsked();
  server.use(
    http.get("*/api/conversations/:id", ({ params }) => {
      const [id, pins] = [String(params["id"]), { token_ids: [[5]], positions: [] }];
      const model = { name: "gpt2", revision: "r", source: "hub" as const };
      return HttpResponse.json(savedConversation({ id, pins, model, is_readable: false, tokens: [] }));
    }),
  );
  window.history.replaceState(null, "", "/?c=one&pin=5");
  render(<App />);
  expect(await screen.findByText(/^make run MODEL=/)).toBeInTheDocument();
  await rest();
  expect(asked).toEqual([]);
});

test("back and forward show what those addresses name", async () => {
  kept.set("one", { token_ids: [[7]], positions: [] });
  kept.set("two", { token_ids: [[9]], positions: [] });
  const user = await openAt("?c=one&pin=5");
  await goTo(user, "two");
  expect(window.location.search).toContain("pin=9");
  act(() => window.history.back());
  await screen.findByRole("option", { name: "Grüß" });
  await rest();
  expect(window.location.search).toBe("?c=one&pin=5");
  act(() => window.history.forward());
  await waitFor(() => expect(window.location.search).toContain("c=two"));
  await rest();
  expect(window.location.search).toContain("pin=9");
  // The list names no pins.
  await goTo(user, "one");
  expect(window.location.search).toContain("pin=7");
  expect(changes).toEqual([]);
});
