import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { ChatMark } from "@/features/chat/chats";
import { summary } from "@/test/saved";
import { MODEL, server } from "@/test/server";
import type { ConversationSummary } from "./conversations";
import Sidebar from "./Sidebar";

const FAILURE = {
  error: {
    code: "storage_failed",
    message: "The disk is full.",
    hint: "Free some space.",
    param: null,
    request_id: "r1",
  },
};

/** What the server keeps, and what was asked of it besides the list. */
let kept: ConversationSummary[];
let asked: string[];
const calls = { onOpen: vi.fn(), onShow: vi.fn(), onStartNew: vi.fn(), onDeleted: vi.fn() };
/** Where the page is. */
let place: string;
const here = (): string => place;

beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
beforeEach(() => {
  kept = [summary("a"), summary("b", { n_branches: 2 })];
  asked = [];
  place = "somewhere";
  server.use(
    http.get("*/api/conversations", ({ request }) => {
      const query = new URL(request.url).searchParams;
      const found = kept.filter((each) => each.title.includes(query.get("query") ?? ""));
      const offset = Number(query.get("offset"));
      return HttpResponse.json({ conversations: found.slice(offset, offset + 50), total: found.length });
    }),
    http.patch("*/api/conversations/:id", async ({ request, params }) => {
      const { title = "" } = (await request.json()) as { title?: string };
      kept = kept.map((each) => (each.id === params["id"] ? { ...each, title } : each));
      return HttpResponse.json(kept[0]);
    }),
    http.delete("*/api/conversations/:id", ({ params }) => {
      kept = kept.filter((each) => each.id !== params["id"]);
      return HttpResponse.json({ id: params["id"], restorable_until_ms: 1 });
    }),
    http.post("*/api/conversations/:id/:what", ({ params }) => {
      asked.push(`${String(params["what"])} ${String(params["id"])}`);
      kept = [summary("c", { title: "Made" }), ...kept];
      return HttpResponse.json(summary("c"), { status: 201 });
    }),
    http.post("*/api/conversations/import", async ({ request }) => {
      asked.push(`import ${JSON.stringify(await request.json())}`);
      return HttpResponse.json(summary("c"), { status: 201 });
    }),
  );
});
afterEach(() => {
  server.resetHandlers();
  vi.clearAllMocks();
  vi.restoreAllMocks();
});
afterAll(() => server.close());

function show(current: string | null = null, marks: readonly ChatMark[] = []) {
  const user = userEvent.setup();
  render(
    <QueryClientProvider client={new QueryClient()}>
      <Sidebar
        currentId={current}
        currentConversationId={current}
        model={MODEL}
        marks={marks}
        isOffline={false}
        here={here}
        {...calls}
      />
    </QueryClientProvider>,
  );
  return user;
}

const choose = async (user: ReturnType<typeof userEvent.setup>, title: string, item: string) => {
  await user.click(await screen.findByRole("button", { name: `More for ${title}` }));
  await user.click(await screen.findByRole("menuitem", { name: item }));
};

test("loading: says so, and lists nothing", async () => {
  show();
  expect(screen.getByText("Loading…")).toBeInTheDocument();
  expect(screen.queryAllByRole("listitem")).toHaveLength(0);
  await screen.findByText("Title of a");
});

test("empty: says what will be here", async () => {
  kept = [];
  show();
  expect(await screen.findByText(/Nothing saved yet/)).toBeInTheDocument();
});

test("failed: says why, and tries again on request", async () => {
  server.use(
    http.get("*/api/conversations", () => HttpResponse.json(FAILURE, { status: 507 }), { once: true }),
  );
  const user = show();
  expect(await screen.findByRole("alert")).toHaveTextContent("The disk is full.Free some space.");
  await user.click(screen.getByRole("button", { name: "Retry" }));
  expect(await screen.findByText("Title of a")).toBeInTheDocument();
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("done: grouped by day, the shown one is marked, what differs is told", async () => {
  const yesterday = Date.now() - 86_400_000;
  kept = [
    summary("a"),
    summary("b", { n_branches: 2, updated_at_ms: yesterday }),
    summary("d", { model: { name: "gpt2", revision: null, source: "hub" }, updated_at_ms: yesterday }),
    summary("e", { model: { ...summary("a").model, revision: "other" }, updated_at_ms: yesterday }),
  ];
  const user = show("a");
  const today = await screen.findByRole("region", { name: "Today" });
  expect(within(today).getAllByRole("listitem")).toHaveLength(1);
  const before = within(screen.getByRole("region", { name: "Yesterday" })).getAllByRole("listitem");
  expect(before.map((each) => each.textContent)).toEqual([
    "Title of b2 branches",
    "Title of dgpt2",
    "Title of etiny",
  ]);
  expect(screen.getByRole("button", { name: "Title of a" })).toHaveAttribute("aria-current", "page");
  await user.click(screen.getByRole("button", { name: /^Title of b/ }));
  expect(calls.onOpen).toHaveBeenCalledWith("b");
});

test("same titles are told apart by time and length, which describe them and are no part of their names", async () => {
  const noon = new Date().setHours(12, 0, 0, 0);
  kept = [
    summary("a", { title: "Same", updated_at_ms: noon + 60_000, n_tokens: 12 }),
    summary("b", { title: "Same", updated_at_ms: noon }),
    summary("d", { title: "Other", updated_at_ms: noon }),
  ];
  const user = show();
  const same = await screen.findAllByRole("button", { name: "Same" });
  expect(same.map((each) => each.textContent)).toEqual(["Same12:01, 12 tokens", "Same12:00, 8 tokens"]);
  expect(same[0]).toHaveAccessibleDescription("12:01, 12 tokens");
  expect(screen.getAllByRole("button", { name: "More for Same" })[1]).toHaveAccessibleDescription(
    "12:00, 8 tokens",
  );
  expect(screen.getByRole("button", { name: "Other" })).not.toHaveAccessibleDescription(/tokens/);
  await choose(user, "Other", "Rename");
  await user.clear(screen.getByRole("textbox", { name: "Title of Other" }));
  await user.keyboard("Same{Enter}");
  await waitFor(() => expect(screen.getAllByRole("button", { name: "Same" })).toHaveLength(3));
});

test("the search asks the server, and says when it finds nothing", async () => {
  const user = show();
  await screen.findByText("Title of b");
  await user.type(screen.getByRole("searchbox"), "of a");
  await waitFor(() => expect(screen.queryByText("Title of b")).not.toBeInTheDocument());
  expect(screen.getByText("Title of a")).toBeInTheDocument();
  await user.type(screen.getByRole("searchbox"), "bc");
  expect(await screen.findByText("No title, text or note contains “of abc”.")).toBeInTheDocument();
});

test("more than one page is fetched on request, and nothing is listed twice", async () => {
  kept = Array.from({ length: 60 }, (_, i) => summary(`${i}`));
  const user = show();
  const more = await screen.findByRole("button", { name: "Show more of 60" });
  kept = [summary("new"), ...kept]; // moves the last of the first page to the second
  await user.click(more);
  await waitFor(() => expect(screen.getAllByRole("listitem").length).toBeGreaterThan(50));
  const titles = screen.getAllByRole("listitem").map((each) => each.textContent);
  expect(new Set(titles).size).toBe(titles.length);
});

test("renamed in place: Enter keeps the name, Escape and an empty one do not", async () => {
  const user = show();
  await choose(user, "Title of a", "Rename");
  const field = screen.getByRole("textbox", { name: "Title of Title of a" });
  await user.clear(field);
  await user.type(field, "Capitals{Enter}");
  expect(await screen.findByText("Capitals")).toBeInTheDocument();
  await choose(user, "Capitals", "Rename");
  await user.type(screen.getByRole("textbox", { name: /^Title of/ }), "x{Escape}");
  await choose(user, "Capitals", "Rename");
  await user.clear(screen.getByRole("textbox", { name: /^Title of/ }));
  await user.keyboard("{Enter}");
  expect(kept[0]?.title).toBe("Capitals");
});

test("deleting the shown one leaves it, and Undo brings it back", async () => {
  const user = show("a");
  await choose(user, "Title of a", "Delete");
  expect(await screen.findByRole("status")).toHaveTextContent("Deleted “Title of a”");
  expect(calls.onDeleted).toHaveBeenCalledWith("a");
  await waitFor(() => expect(screen.queryByRole("button", { name: "Title of a" })).not.toBeInTheDocument());
  await user.click(screen.getByRole("button", { name: "Undo" }));
  await waitFor(() => expect(calls.onOpen).toHaveBeenCalledWith("c"));
  expect(asked).toEqual(["restore a"]);
  expect(screen.queryByRole("status")).not.toBeInTheDocument();
});

test("what is deleted is what was asked for, also where another one is shown by then", async () => {
  const user = show("a");
  await choose(user, "Title of b", "Delete");
  await screen.findByRole("status");
  expect(calls.onDeleted.mock.calls).toEqual([["b"]]);
});

test.each([
  ["a copy", () => choose(userEvent.setup(), "Title of b", "Duplicate")],
  [
    "an import",
    () =>
      userEvent
        .setup()
        .upload(
          screen.getByLabelText("File of a conversation"),
          new File(['{"format":"x"}'], "c.json", { type: "application/json" }),
        ),
  ],
])("%s does not pull who has gone on away", async (_, act) => {
  let answer: () => void = () => undefined;
  const answered = new Promise<void>((resolve) => (answer = resolve));
  server.use(
    http.post("*/api/conversations/*", async () => {
      await answered;
      kept = [summary("c", { title: "Made" }), ...kept];
      return HttpResponse.json(summary("c"), { status: 201 });
    }),
  );
  show();
  await screen.findByText("Title of b");
  await act();
  place = "elsewhere";
  answer();
  expect(await screen.findByText("Made")).toBeInTheDocument();
  expect(calls.onOpen).not.toHaveBeenCalled();
});

test("a reply that goes on or has failed is marked, and opened where it is", async () => {
  kept = [summary("a"), summary("b"), summary("d", { is_running: true })];
  const user = show("b", [
    { key: 4, wholeId: "a", text: "Hello", kind: "running" },
    { key: 5, wholeId: null, text: "Refused", kind: "failed" },
  ]);
  const item = (title: string) => screen.findByRole("button", { name: new RegExp(`^${title}`) });
  expect(await item("Title of a")).toHaveTextContent("generating…");
  expect(await item("Title of b")).not.toHaveTextContent("generating…");
  expect(await item("Title of d")).toHaveTextContent("generating…");
  await user.click(await item("Title of a"));
  await user.click(await item("Refused"));
  expect(calls.onShow.mock.calls).toEqual([[4], [5]]);
  await user.click(await item("Title of d"));
  expect(calls.onOpen.mock.calls).toEqual([["d"]]);
});

test("a copy is opened", async () => {
  const user = show();
  await choose(user, "Title of b", "Duplicate");
  await waitFor(() => expect(calls.onOpen).toHaveBeenCalledWith("c"));
  expect(asked).toEqual(["duplicate b"]);
  expect(await screen.findByText("Made")).toBeInTheDocument();
});

test("what fails is told in the server's words, until it is put away", async () => {
  server.use(http.delete("*/api/conversations/:id", () => HttpResponse.json(FAILURE, { status: 507 })));
  const user = show();
  await choose(user, "Title of a", "Delete");
  expect(await screen.findByRole("alert")).toHaveTextContent(
    "Could not delete the conversation. The disk is full. Free some space.",
  );
  await user.click(screen.getByRole("button", { name: "Dismiss" }));
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  expect(screen.getByText("Title of a")).toBeInTheDocument();
});

test("a file is handed to the server as it is, and opened", async () => {
  const user = show();
  const field = screen.getByLabelText("File of a conversation");
  await user.upload(field, new File(['{"format":"x"}'], "c.json", { type: "application/json" }));
  await waitFor(() => expect(calls.onOpen).toHaveBeenCalledWith("c"));
  expect(asked).toEqual(['import {"format":"x"}']);
});

test.each([
  ["no JSON", "{", "it does not hold a JSON object"],
  ["a list", "[]", "it does not hold a JSON object"],
  ["too large", " ".repeat(4 * 2 ** 20 + 1), "4.0 MiB; a conversation may have 4"],
])("a file that is %s never leaves the page", async (_, content, words) => {
  const user = show();
  await user.upload(screen.getByLabelText("File of a conversation"), new File([content], "c.json"));
  expect(await screen.findByRole("alert")).toHaveTextContent(words);
  expect(asked).toEqual([]);
});
