/** Notes on the whole page: kept by a server that may refuse, be late, or be told by another page too. */
import { act, screen, waitFor } from "@testing-library/react";
import { HttpResponse, http } from "msw";
import { expect, test } from "vitest";
import type { ConversationChanges } from "@/features/library/conversations";
import {
  doMeanwhile,
  field,
  held,
  list,
  note,
  openAt,
  sent,
  setUpNotes,
  token,
  tokens,
  write,
} from "@/test/notes";
import { EVENTS, frame, openAnswer, streamAnswer } from "@/test/recordedStream";
import { summary } from "@/test/saved";
import { server } from "@/test/server";

setUpNotes();

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

  await user.click(screen.getByRole("button", { name: "Retry" }));
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
  doMeanwhile(() => {
    write("conversation-1", [note(2, 3, "of the other page")]);
    doMeanwhile(null);
  });
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
  doMeanwhile(() => write("conversation-1", []));
  await user.keyboard("n");
  await user.type(await field(), "mine{Control>}{Enter}{/Control}");
  expect(await screen.findByRole("alert")).toHaveTextContent(/not saved yet.*Late\./);
  expect(await token("Grüß, has a note")).toBeInTheDocument();

  doMeanwhile(null);
  await user.click(screen.getByRole("button", { name: "Retry" }));
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

test("a note on the tokens of a reply that was interrupted is saved with what is kept of it", async () => {
  server.use(http.post("*/api/chat", () => streamAnswer(EVENTS.slice(0, 2).map(frame).join(""))));
  const user = await openAt("");
  await user.type(screen.getByRole("textbox", { name: "Message" }), "Hello{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent(/Interrupted.*The text so far is kept/);
  await user.click(await token("Grüß"));
  await user.keyboard("n");
  await user.type(await field(), "half a reply{Control>}{Enter}{/Control}");
  await waitFor(() => expect(held["conversation-1"]).toEqual([note(6, 7, "half a reply")]));
});

test("a note that was written during a reply is saved when it ends, though another conversation is shown by then", async () => {
  let answer: ReturnType<typeof openAnswer> | undefined;
  server.use(http.post("*/api/chat", ({ request }) => (answer = openAnswer(request.signal)).response));
  const user = await openAt("?c=conversation-1&t=6");
  await tokens();
  await user.click(screen.getByRole("button", { name: "Regenerate" }));
  const events = EVENTS.map((event) =>
    event.type === "start" ? { ...event, conversation_id: "branch-3" } : event,
  );
  await waitFor(() => expect(answer).toBeDefined());
  for (const event of events.slice(0, 2)) answer?.send(event);
  await user.click(await token("Grüß"));
  await user.keyboard("n");
  await user.type(await field(), "of the new one{Control>}{Enter}{/Control}");
  window.history.pushState(null, "", "/?c=branch-2");
  act(() => {
    window.dispatchEvent(new PopStateEvent("popstate"));
  });
  await screen.findByRole("button", { name: "Regenerate" });
  expect(sent).toEqual([]);
  for (const event of events.slice(2)) answer?.send(event);
  await waitFor(() => expect(held["branch-3"]).toEqual([note(6, 7, "of the new one")]));
});
