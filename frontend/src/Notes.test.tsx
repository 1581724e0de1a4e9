/** Notes on the whole page: written, seen where they are, listed, changed, deleted, and kept by a server that may refuse. */
import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, delay, http } from "msw";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { ConversationChanges } from "@/api/conversations";
import type { Note } from "@/lib/notes";
import { App } from "./App";
import { EVENTS, frame, streamAnswer } from "./test/recordedStream";
import { branch, savedConversation, summary } from "./test/saved";
import { server } from "./test/server";

/** What the server holds of each branch, and the lists that it was sent. */
let held: Record<string, Note[]>;
let sent: Note[][];
/** How often each list was replaced; a change of another revision is refused. */
let revisions: Record<string, number>;
/** What another page writes between the reading of a list and its writing. */
let meanwhile: (() => void) | null;

const write = (id: string, notes: Note[]): void => {
  held[id] = notes;
  revisions[id] = (revisions[id] ?? 0) + 1;
};

const note = (start: number, end: number, text: string, layer: number | null = null): Note => ({
  start,
  end,
  layer,
  text,
});

// Each goes a long way over the whole page; five seconds are too few on a machine that is busy.
vi.setConfig({ testTimeout: 20_000 });

beforeAll(() => server.listen({ onUnhandledRequest: "bypass" }));
beforeEach(() => {
  held = {};
  sent = [];
  revisions = {};
  meanwhile = null;
  server.use(
    // The read-outs are none of these tests' business; one that failed would be a second alert.
    http.post("*/api/lens", () => delay("infinite")),
    http.get("*/api/conversations/:id", ({ params }) => {
      const id = String(params["id"]);
      const branches = [branch("conversation-1"), branch("branch-2", { from_index: 6 })];
      const annotations_revision = revisions[id] ?? 0;
      const notes = held[id] ?? [];
      return HttpResponse.json(savedConversation({ id, branches, notes, annotations_revision }));
    }),
    http.patch("*/api/conversations/:id", async ({ request, params }) => {
      const { notes, annotations_revision } = (await request.json()) as ConversationChanges;
      const id = String(params["id"]);
      meanwhile?.();
      if (annotations_revision !== (revisions[id] ?? 0)) {
        const error = { code: "annotations_changed", message: "Late.", hint: null, param: null };
        return HttpResponse.json({ error: { ...error, request_id: "r" } }, { status: 409 });
      }
      if (notes !== undefined && notes !== null) {
        sent.push(notes);
        write(id, notes);
      }
      return HttpResponse.json(summary("conversation-1"));
    }),
  );
});
afterEach(() => {
  server.resetHandlers();
  window.getSelection()?.removeAllRanges();
  window.history.replaceState(null, "", "/");
});
afterAll(() => server.close());

async function openAt(query: string) {
  window.history.replaceState(null, "", `/${query}`);
  const user = userEvent.setup({ delay: null });
  render(<App />);
  await screen.findByText("Ready");
  return user;
}

const tokens = () => screen.findByRole("listbox", { name: "Tokens of the conversation" });
const token = async (name: string) => within(await tokens()).getByRole("option", { name });
const field = () => screen.findByRole("textbox", { name: "Text of the note" });
const list = () => screen.findByRole("region", { name: "Notes" });

test("a note on a token is written by keyboard, saved, and seen where it is", async () => {
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("n");
  expect(await screen.findByRole("dialog", { name: "New note" })).toHaveTextContent("on ·Grüß, index 6");
  expect(await field()).toHaveFocus();
  await user.keyboard("German.{Enter}Why?{Control>}{Enter}{/Control}");
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();

  expect(await token("Grüß, has a note")).toHaveClass("token-noted-start");
  const own = screen.getByRole("list", { name: "Notes on this token" });
  expect(own).toHaveTextContent("German. Why?");
  expect(screen.getByRole("button", { name: "Notes 1" })).toBeInTheDocument();
  await waitFor(() => expect(sent).toEqual([[note(6, 7, "German.\nWhy?")]]));
});

test("with a layer selected it is on the cell, unless the token is chosen; the first token has no cell", async () => {
  const user = await openAt("?c=conversation-1&t=6&l=1");
  await tokens();
  await user.keyboard("n");
  const dialog = await screen.findByRole("dialog", { name: "New note" });
  expect(dialog).toHaveTextContent("on ·Grüß, index 6, at layer 1");
  await user.click(within(dialog).getByRole("radio", { name: "This token" }));
  expect(dialog).not.toHaveTextContent("index 6, at layer 1");
  await user.click(within(dialog).getByRole("radio", { name: "At layer 1" }));
  await user.type(await field(), "cell");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  await waitFor(() => expect(sent).toEqual([[note(6, 7, "cell", 1)]]));

  await user.click(await token("User"));
  await user.keyboard("n");
  expect(await screen.findByRole("dialog", { name: "New note" })).toHaveTextContent("on User, index 0");
  expect(screen.queryByRole("radio", { name: "At layer 1" })).not.toBeInTheDocument();
  expect(screen.getByRole("dialog")).not.toHaveTextContent("at layer");
});

test("a range is made by Shift and the brackets or a click, and ends with Escape or another token", async () => {
  const user = await openAt("?c=conversation-1&t=2");
  const chosen = async () =>
    within(await tokens())
      .getAllByRole("option", { selected: true })
      .map((option) => Number(option.getAttribute("data-index")));
  await tokens();
  await user.keyboard("}}");
  expect(await chosen()).toEqual([2, 3, 4]);
  expect(screen.getByText("Range of 3 tokens, 2 to 4")).toBeInTheDocument();
  await user.keyboard("{{");
  expect(await chosen()).toEqual([2, 3]);
  await user.keyboard("{Escape}");
  expect(await chosen()).toEqual([2]);

  fireEvent.click(await token("dich"), { shiftKey: true });
  expect(await chosen()).toEqual([2, 3, 4, 5, 6, 7]);
  await user.click(await token("Hello"));
  expect(await chosen()).toEqual([2]);

  (await tokens()).focus();
  await user.keyboard("{Shift>}{ArrowRight}{ArrowRight}{/Shift}n");
  expect(await screen.findByRole("dialog")).toHaveTextContent("on 3 tokens, 2 to 4");
  await user.click(screen.getByRole("button", { name: "One token more" }));
  await user.type(await field(), "together");
  await user.keyboard("{Control>}{Enter}{/Control}");
  await waitFor(() => expect(sent).toEqual([[note(2, 6, "together")]]));
  expect(within(await tokens()).getAllByRole("option", { name: /has a note$/ })).toHaveLength(4);
});

test("text that is selected is what the note is on", async () => {
  const user = await openAt("?c=conversation-1&t=2");
  const [from, to] = [(await token("Grüß")).firstChild, (await token("dich")).firstChild];
  if (from === null || to === null) throw new Error("no text");
  window.getSelection()?.setBaseAndExtent(from, 2, to, 3);
  await user.keyboard("n");
  expect(await screen.findByRole("dialog")).toHaveTextContent("on 2 tokens, 6 to 7");
});

test("closing does not lose what was typed without asking", async () => {
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("n");
  await user.type(await field(), "dear to me");
  await user.keyboard("{Escape}");
  expect(screen.getByRole("alert")).toHaveTextContent("What you wrote is not saved.");
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  expect(await field()).toHaveFocus();
  expect(await field()).toHaveValue("dear to me");
  await user.keyboard("{Escape}");
  await user.click(screen.getByRole("button", { name: "Throw it away" }));
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();

  await user.keyboard("n");
  await field();
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument(); // nothing was typed
  expect(sent).toEqual([]);
});

test("a note is not saved on a conversation that the page went to meanwhile", async () => {
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("n");
  await user.type(await field(), "stray");
  window.history.pushState(null, "", "/?c=branch-2&t=6");
  act(() => {
    window.dispatchEvent(new PopStateEvent("popstate"));
  });
  expect(await screen.findByText(/no longer there/)).toBeInTheDocument();
  await waitFor(() => expect(window.location.search).toContain("branch-2"));
  await user.keyboard("{Control>}{Enter}{/Control}");
  expect(await field()).toHaveValue("stray");
  expect(sent).toEqual([]);
});

test("the list is sorted, goes to the place, changes, deletes, and brings back", async () => {
  held["conversation-1"] = [note(6, 8, "range"), note(2, 3, "first", 1)];
  const user = await openAt("?c=conversation-1&t=7");
  await user.click(await screen.findByRole("button", { name: "Notes 2" }));
  const items = within(await list()).getAllByRole("listitem");
  expect(items.map((item) => item.textContent)).toEqual([
    "·Hello, index 2, at layer 1first",
    "2 tokens, 6 to 7: ·Grüß·dichrange",
  ]);
  await user.click(within(await list()).getByRole("button", { name: /first$/ }));
  expect(window.location.search).toContain("t=2&l=1");

  await user.click(screen.getByRole("button", { name: "Change the note on 2 tokens, 6 to 7" }));
  expect(await field()).toHaveValue("range");
  await user.clear(await field());
  expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
  await user.type(await field(), "better");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(sent.at(-1)).toEqual([note(6, 8, "better"), note(2, 3, "first", 1)]));

  await user.click(screen.getByRole("button", { name: "Delete the note on ·Hello, index 2, at layer 1" }));
  expect(within(await list()).getAllByRole("listitem")).toHaveLength(1);
  await waitFor(() => expect(sent.at(-1)).toEqual([note(6, 8, "better")]));
  await user.click(screen.getByRole("button", { name: "Undo" }));
  expect(within(await list()).getAllByRole("listitem")).toHaveLength(2);
  await waitFor(() => expect(held["conversation-1"]).toHaveLength(2));
  await user.keyboard("{Escape}");
  (await list()).focus();
  await user.keyboard("{Escape}");
  expect(screen.queryByRole("region", { name: "Notes" })).not.toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Notes 2" })).toHaveFocus();
});

test("an empty list says how to write a note, and the palette opens both", async () => {
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("{Control>}k{/Control}");
  await screen.findByRole("combobox", { name: "Find a command" });
  await user.keyboard("show notes{Enter}");
  expect(await list()).toHaveTextContent("No notes yet");
  await user.keyboard("{Control>}k{/Control}");
  await screen.findByRole("combobox", { name: "Find a command" });
  await user.keyboard("add a note{Enter}");
  expect(await field()).toBeInTheDocument();
});

test("what could not be saved stays, says so, and is saved by trying again", async () => {
  const error = { code: "storage_failed", message: "The disk is full.", hint: null, param: null };
  server.use(
    http.patch(
      "*/api/conversations/:id",
      () => HttpResponse.json({ error: { ...error, request_id: "r" } }, { status: 507 }),
      { once: true },
    ),
  );
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("n");
  await user.type(await field(), "kept{Control>}{Enter}{/Control}");
  expect(await screen.findByRole("alert")).toHaveTextContent(/not saved yet.*The disk is full\./);
  expect(await token("Grüß, has a note")).toBeInTheDocument();
  expect(sent).toEqual([]);
  const leaving = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(leaving);
  expect(leaving.defaultPrevented).toBe(true);

  await user.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(sent).toEqual([[note(6, 7, "kept")]]));
  await waitFor(() => expect(screen.queryByRole("alert")).not.toBeInTheDocument());
  const later = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(later);
  expect(later.defaultPrevented).toBe(false);
});

test("two rapid changes are saved one after the other, the second with the first", async () => {
  let running = 0;
  let most = 0;
  server.use(
    http.patch("*/api/conversations/:id", async ({ request }) => {
      running += 1;
      most = Math.max(most, running);
      const notes = ((await request.json()) as ConversationChanges).notes ?? [];
      await new Promise((resolve) => setTimeout(resolve, 300));
      running -= 1;
      sent.push(notes);
      write("conversation-1", notes);
      return HttpResponse.json(summary("conversation-1"));
    }),
  );
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  for (const text of ["one", "two", "three"]) {
    await user.keyboard("n");
    await user.type(await field(), `${text}{Control>}{Enter}{/Control}`);
  }
  await waitFor(() => expect(sent.at(-1)?.map(({ text }) => text)).toEqual(["one", "two", "three"]));
  expect(most).toBe(1);
  expect(screen.getByRole("button", { name: "Notes 3" })).toBeInTheDocument();
});

test("a note that another page saves in the same moment is kept, and nothing is said", async () => {
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  meanwhile = () => {
    write("conversation-1", [note(2, 3, "of the other page")]);
    meanwhile = null;
  };
  await user.keyboard("n");
  await user.type(await field(), "mine{Control>}{Enter}{/Control}");
  expect(await screen.findByRole("button", { name: "Notes 2" })).toBeInTheDocument();
  await waitFor(() =>
    expect(held["conversation-1"]).toEqual([note(2, 3, "of the other page"), note(6, 7, "mine")]),
  );
  expect(sent).toHaveLength(1);
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("a page that is too late every time says so, keeps the note, and saves it when asked", async () => {
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  meanwhile = () => write("conversation-1", []);
  await user.keyboard("n");
  await user.type(await field(), "mine{Control>}{Enter}{/Control}");
  expect(await screen.findByRole("alert")).toHaveTextContent(/not saved yet.*Late\./);
  expect(await token("Grüß, has a note")).toBeInTheDocument();

  meanwhile = null;
  await user.click(screen.getByRole("button", { name: "Try again" }));
  await waitFor(() => expect(held["conversation-1"]).toEqual([note(6, 7, "mine")]));
});

test("a note that was written during a reply is saved in the branch that came of it", async () => {
  held["conversation-1"] = [note(2, 3, "shared"), note(6, 7, "of the old reply")];
  const events = EVENTS.map((event) =>
    event.type === "start" ? { ...event, conversation_id: "branch-2" } : event,
  );
  let finish: () => void = () => undefined;
  server.use(
    http.post("*/api/chat", () => {
      const encoder = new TextEncoder();
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(encoder.encode(events.slice(0, 2).map(frame).join("")));
          finish = () => {
            held["branch-2"] = [note(2, 3, "shared")]; // what the server's rule gives the branch
            controller.enqueue(encoder.encode(events.slice(2).map(frame).join("")));
            controller.close();
          };
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    }),
  );
  const user = await openAt("?c=conversation-1&t=6");
  await screen.findByRole("button", { name: "Notes 2" });
  await user.click(screen.getByRole("button", { name: "Regenerate" }));
  expect(await screen.findByRole("button", { name: "Notes 1" })).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Notes 1" }));
  await user.click(await token("Grüß"));
  await user.keyboard("n");
  await user.type(await field(), "of the new one{Control>}{Enter}{/Control}");
  expect(await list()).toHaveTextContent("2 notes · saved when the reply has ended");
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(sent).toEqual([]);

  finish();
  await waitFor(() => expect(sent).toEqual([[note(2, 3, "shared"), note(6, 7, "of the new one")]]));
  expect(held["branch-2"]).toHaveLength(2);
  expect(held["conversation-1"]).toHaveLength(2);
  expect(await screen.findByRole("button", { name: "Notes 2" })).toBeInTheDocument();
});

test("a reply that is not stored yet is waited for", async () => {
  const error = { code: "conversation_not_found", message: "Gone.", hint: null, param: null };
  server.use(
    http.patch(
      "*/api/conversations/:id",
      () => HttpResponse.json({ error: { ...error, request_id: "r" } }, { status: 404 }),
      { once: true },
    ),
  );
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("n");
  await user.type(await field(), "early{Control>}{Enter}{/Control}");
  await waitFor(() => expect(sent).toEqual([[note(6, 7, "early")]]));
  expect(screen.queryByRole("alert")).not.toBeInTheDocument();
});

test("the limits are told before the server refuses", async () => {
  held["conversation-1"] = Array.from({ length: 1000 }, (_, i) => note(2, 3, `note ${i}`));
  const user = await openAt("?c=conversation-1&t=6");
  await screen.findByRole("button", { name: "Notes 1000" });
  await user.keyboard("n");
  await user.type(await field(), "one too many");
  expect(screen.getByRole("dialog")).toHaveTextContent("1,000 notes, as many as it can hold");
  expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
  await user.keyboard("{Control>}{Enter}{/Control}");
  expect(sent).toEqual([]);
});

test("a text that is too long is kept in the field, and says by how much", async () => {
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("n");
  fireEvent.change(await field(), { target: { value: "😀".repeat(4000) } });
  expect(screen.getByRole("dialog")).toHaveTextContent("4,000 of 4,000 characters");
  expect(screen.getByRole("button", { name: "Save" })).toBeEnabled();
  fireEvent.change(await field(), { target: { value: "x".repeat(4001) } });
  expect(screen.getByRole("dialog")).toHaveTextContent("4,001 characters; a note may have 4,000.");
  expect(screen.getByRole("button", { name: "Save" })).toBeDisabled();
});

test("a note's text is text: no links, no markup", async () => {
  held["conversation-1"] = [note(6, 7, "<img src=x onerror=alert(1)> https://example.org")];
  await openAt("?c=conversation-1&t=6");
  const own = await screen.findByRole("list", { name: "Notes on this token" });
  expect(own).toHaveTextContent("<img src=x onerror=alert(1)> https://example.org");
  expect(within(own).queryByRole("link")).not.toBeInTheDocument();
  expect(within(own).queryByRole("img")).not.toBeInTheDocument();
});

test("the key is off where single keys are", async () => {
  window.localStorage.setItem("settings", JSON.stringify({ shortcuts: false }));
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.keyboard("n");
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(screen.queryByRole("dialog")).not.toBeInTheDocument();
});

test("a conversation of another model lists its notes", async () => {
  server.use(
    http.get("*/api/conversations/:id", () =>
      HttpResponse.json(
        savedConversation({
          is_readable: false,
          tokens: [],
          model: { name: "gpt2", revision: "607a", source: "hub" },
          notes: [note(4, 7, "seen"), note(2, 3, "at once", 5)],
        }),
      ),
    ),
  );
  await openAt("?c=conversation-1");
  expect(await screen.findByRole("heading", { name: "The notes" })).toBeInTheDocument();
  expect(screen.getByText("a token, index 2, at layer 5")).toBeInTheDocument();
  expect(screen.getByText("3 tokens, 4 to 6")).toBeInTheDocument();
  expect(screen.getByText("seen")).toBeInTheDocument();
});

test("a reply that failed takes the notes on its tokens with it, and nothing is saved", async () => {
  server.use(http.post("*/api/chat", () => streamAnswer(EVENTS.slice(0, 2).map(frame).join(""))));
  const user = await openAt("");
  await user.type(screen.getByRole("textbox", { name: "Message" }), "Hello{Enter}");
  // The stream breaks off: the turn failed, and nothing of it is kept.
  expect(await screen.findByText(/the server keeps nothing of this turn/)).toBeInTheDocument();
  await user.click(await token("Grüß"));
  await user.keyboard("n");
  await user.type(await field(), "lost cause{Control>}{Enter}{/Control}");
  expect(await token("Grüß, has a note")).toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: "Dismiss" }));
  await waitFor(() => expect(screen.queryByRole("listbox")).not.toBeInTheDocument());
  expect(sent).toEqual([]);
});
