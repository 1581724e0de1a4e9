/** The first visit: an answered example, and a conversation of the server's once something is done with it. */
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ChatRequest } from "@/features/chat/stream";
import { EVENTS, IDENTITY, LENS, PROMPT, frame, streamAnswer, token } from "@/test/recordedStream";
import { SAMPLING, summary } from "@/test/saved";
import { HEALTH, MODEL, server } from "@/test/server";
import type { LensReadRequest, OpeningExample } from "@/types/schemas";
import { App } from "./App";

const OPENING: OpeningExample = {
  model: IDENTITY,
  example: {
    title: "A greeting",
    question: "When does it greet?",
    mode: "chat",
    text: "Hello",
    watch: " Hi",
    note: "Look.",
  },
  tokens: [...PROMPT, token(6, " Hi", "assistant", { logprob_nats: -0.1, rank: 1, lens: LENS })],
  turn: { start: 0, reply_start: 6, end: 7, finish_reason: "stop", sampling: SAMPLING },
};
const IDS = OPENING.tokens.map(({ id }) => id);

let imported: { branches: { token_ids: number[] }[] }[];
let chats: ChatRequest[];
let asked: LensReadRequest[];

beforeAll(() => server.listen({ onUnhandledRequest: "bypass" }));
beforeEach(() => {
  [imported, chats, asked] = [[], [], []];
  server.use(
    http.get("*/api/examples/opening", () => HttpResponse.json({ opening: OPENING })),
    http.post("*/api/conversations/import", async ({ request }) => {
      imported.push((await request.json()) as (typeof imported)[number]);
      return HttpResponse.json(summary("kept"));
    }),
    http.post("*/api/chat", async ({ request }) => {
      chats.push((await request.json()) as ChatRequest);
      return streamAnswer(EVENTS.map(frame).join(""));
    }),
    http.post("*/api/lens", async ({ request }) => {
      asked.push((await request.json()) as LensReadRequest);
      return new HttpResponse(null, { status: 500 });
    }),
  );
});
afterEach(() => {
  server.resetHandlers();
  window.history.replaceState(null, "", "/");
});
afterAll(() => server.close());

const questions = () => screen.findByRole("region", { name: "Questions to begin with" });
const option = (name: string) =>
  within(screen.getByRole("listbox", { name: "Tokens of the conversation" })).getByRole("option", { name });

test("the example is answered and its token selected while the model loads, and read again when it is loaded", async () => {
  let isLoaded = false;
  server.use(
    http.get("*/api/health", () =>
      isLoaded
        ? HttpResponse.json(HEALTH)
        : HttpResponse.json(
            { ...HEALTH, status: "loading", revision: null, detail: "Loading." },
            { status: 503 },
          ),
    ),
  );
  render(<App />);
  expect(within(await questions()).getByRole("button", { name: "When does it greet?" })).toBeVisible();
  await waitFor(() => expect(option("Hi")).toHaveAttribute("aria-selected", "true"));
  expect(asked).toEqual([]);
  isLoaded = true;
  await waitFor(() => expect(asked).not.toEqual([]));
  expect(imported).toEqual([]);
});

test("the example is asked for at once, and no other first screen is shown before it", async () => {
  let answer = (): void => undefined;
  const isAnswered = new Promise<void>((resolve) => (answer = resolve));
  let nAsked = 0;
  server.use(
    http.get("*/api/health", async () => {
      await isAnswered;
      return HttpResponse.json(HEALTH);
    }),
    http.get("*/api/examples/opening", () => {
      nAsked += 1;
      return HttpResponse.json({ opening: OPENING });
    }),
  );
  const seen = new Set<string>();
  const watch = new MutationObserver(() => {
    for (const heading of screen.queryAllByRole("heading", { level: 2 })) seen.add(heading.textContent);
  });
  render(<App />);
  await waitFor(() => expect(nAsked).toBe(1));
  watch.observe(document.body, { childList: true, subtree: true });
  answer();
  await questions();
  watch.disconnect();
  expect([...seen].filter((heading) => heading.startsWith("Send a text"))).toEqual([]);
  expect(nAsked).toBe(1);
});

test("the question for the word that carries the answer opens Patch at the token", async () => {
  const user = userEvent.setup();
  render(<App />);
  const first = await questions();
  await waitFor(() => expect(option("Hi")).toHaveAttribute("aria-selected", "true"));
  await user.click(screen.getByRole("button", { name: "Deselect the token" }));
  await user.click(within(first).getByRole("button", { name: "Which word carries the answer?" }));
  expect(await screen.findByRole("tab", { name: "Patch" })).toHaveAttribute("aria-selected", "true");
  expect(option("Hi")).toHaveAttribute("aria-selected", "true");
});

test("a view that was opened before the example came stays open", async () => {
  const user = userEvent.setup();
  let arrive = (): void => undefined;
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  server.use(
    http.get("*/api/examples/opening", async () => {
      await arrived;
      return HttpResponse.json({ opening: OPENING });
    }),
  );
  render(<App />);
  for (const view of ["Layers", "Standard"]) {
    await user.click(await screen.findByRole("tab", { name: view }));
    expect(screen.getByRole("tab", { name: view })).toHaveAttribute("aria-selected", "true");
  }
  arrive();
  await questions();
  await waitFor(() => expect(option("Hi")).toHaveAttribute("aria-selected", "true"));
  expect(screen.getByRole("tab", { name: "Standard" })).toHaveAttribute("aria-selected", "true");
});

test("with the model there its numbers are computed from exactly the ids that are shown", async () => {
  render(<App />);
  await questions();
  await waitFor(() => expect(asked).not.toEqual([]));
  for (const request of asked) expect(request).toMatchObject({ token_ids: IDS });
  expect(imported).toEqual([]);
});

test("a follow-up first makes it a conversation of exactly these ids", async () => {
  const user = userEvent.setup();
  render(<App />);
  await questions();
  await user.type(screen.getByRole("textbox", { name: "Message" }), "And you?{Enter}");
  await waitFor(() => expect(chats).toHaveLength(1));
  expect(imported.map(({ branches }) => branches.map((each) => each.token_ids))).toEqual([[IDS]]);
  expect(chats[0]).toMatchObject({ conversation_id: "kept", from_index: IDS.length });
});

test("choosing what to compare it with makes it a conversation, to which B can be generated", async () => {
  const user = userEvent.setup();
  render(<App />);
  await questions();
  await user.click(await screen.findByRole("button", { name: "Compare with…" }));
  await waitFor(() => expect(imported).toHaveLength(1));
  expect(imported.map(({ branches }) => branches.map((each) => each.token_ids))).toEqual([[IDS]]);
});

test("Ask your own opens an empty conversation, now and on the next visit", async () => {
  const user = userEvent.setup();
  const { unmount } = render(<App />);
  await user.click(within(await questions()).getByRole("button", { name: "Ask your own" }));
  expect(await screen.findByRole("heading", { name: /^Send a text/ })).toBeVisible();
  unmount();
  window.history.replaceState(null, "", "/");
  render(<App />);
  expect(await screen.findByRole("heading", { name: /^Send a text/ })).toBeVisible();
});

test("it is shown for no other model, and where something is saved for none", async () => {
  server.use(http.get("*/api/model_info", () => HttpResponse.json({ ...MODEL, revision: "other" })));
  server.use(http.get("*/api/health", () => HttpResponse.json({ ...HEALTH, revision: "other" })));
  const { unmount } = render(<App />);
  expect(await screen.findByRole("heading", { name: /^Send a text/ })).toBeVisible();
  unmount();
  window.history.replaceState(null, "", "/");
  server.use(
    http.get("*/api/conversations", () => HttpResponse.json({ conversations: [summary("one")], total: 1 })),
  );
  render(<App />);
  expect(await screen.findByRole("heading", { name: /^Send a text/ })).toBeVisible();
  expect(screen.queryByRole("region", { name: "Questions to begin with" })).not.toBeInTheDocument();
});
