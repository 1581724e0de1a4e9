/** The page when a part of it, or the server, fails. */
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { keepToken } from "@/base/token";
import { EVENTS, frame } from "@/test/recordedStream";
import { HEALTH, refused, server } from "@/test/server";
import { App } from "./App";

/** A component of the conversation's pane that can be broken. */
const part = vi.hoisted(() => ({ isBroken: false }));
vi.mock("@/features/chat/ReplyActions", () => ({ ReplyActions: () => null }));
vi.mock("@/features/composer/StatusLine", () => ({
  StatusLine: () => {
    if (part.isBroken) throw new RangeError("the pane is broken");
    return null;
  },
}));

beforeAll(() => server.listen({ onUnhandledRequest: "bypass" }));
afterEach(() => {
  part.isBroken = false;
  server.resetHandlers();
  window.history.replaceState(null, "", "/");
});
afterAll(() => server.close());

test("a server that wants a token is asked for it once, and every request then has it", async () => {
  const right = "Bearer right-one";
  const given = new Map<string, string | null>();
  server.events.on("request:start", ({ request }) => {
    given.set(new URL(request.url).pathname, request.headers.get("Authorization"));
  });
  server.use(
    http.get("*/api/model_info", ({ request }) =>
      request.headers.get("Authorization") === right ? undefined : refused("unauthorized", 401),
    ),
    http.post("*/api/chat", () => refused("queue_full", 429)),
  );
  render(<App />);
  expect(await screen.findByRole("heading", { name: "This server needs a token" })).toBeVisible();
  expect(screen.queryByText(/reconnects by itself/)).not.toBeInTheDocument();
  expect(screen.getByRole("button", { name: "Send" })).toHaveAttribute("aria-disabled", "true");

  await userEvent.type(await screen.findByLabelText("Your token"), "wrong-one{Enter}");
  expect(await screen.findByText("The server does not know this token.")).toBeVisible();
  await userEvent.type(await screen.findByLabelText("Your token"), " right-one {Enter}");
  await waitFor(() => expect(screen.queryByLabelText("Your token")).not.toBeInTheDocument());
  await userEvent.type(await screen.findByRole("textbox", { name: "Message" }), "Hi");
  const send = screen.getByRole("button", { name: "Send" });
  await waitFor(() => expect(send).not.toHaveAttribute("aria-disabled", "true"));
  await userEvent.click(send);
  await waitFor(() => expect(given.get("/api/chat")).toBe(right));
  expect(given.get("/api/conversations")).toBe(right);
  expect(window.localStorage.getItem("mechanistic-explorer:token")).toBe('"right-one"');

  keepToken("");
  server.events.removeAllListeners();
});

test("the token is asked for while the model loads", async () => {
  const right = "Bearer right-one";
  const loading = { ...HEALTH, status: "loading", detail: "Loading the weights." };
  server.use(
    http.get("*/api/health", () => HttpResponse.json(loading, { status: 503 })),
    http.get("*/api/conversations", ({ request }) =>
      request.headers.get("Authorization") === right ? undefined : refused("unauthorized", 401),
    ),
  );
  render(<App />);
  await userEvent.type(await screen.findByLabelText("Your token"), "right-one{Enter}");
  await waitFor(() => expect(screen.getByText("Loading the weights.")).toBeVisible());
  expect(screen.queryByLabelText("Your token")).not.toBeInTheDocument();
  keepToken("");
});

test("a server that does not go by this name says so", async () => {
  server.use(http.get("*/api/health", () => refused("forbidden", 403)));
  render(<App />);
  expect(await screen.findByRole("heading", { name: "The server does not answer this page" })).toBeVisible();
  expect(screen.getByText("forbidden")).toBeVisible();
});

test("a defect in the conversation's pane leaves the evidence and the running reply alone", async () => {
  vi.spyOn(console, "error").mockReturnValue(undefined);
  let reply: AbortSignal | undefined;
  let send: (text: string) => void = () => undefined;
  server.use(
    http.post("*/api/chat", ({ request }) => {
      reply = request.signal;
      const encoder = new TextEncoder();
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => (send = (text) => controller.enqueue(encoder.encode(text))),
      });
      return new HttpResponse(body, { headers: { "Content-Type": "text/event-stream" } });
    }),
  );
  render(<App />);
  const composer = await screen.findByRole("textbox", { name: "Message" });
  await waitFor(() => expect(composer).toBeEnabled());
  await userEvent.type(composer, "Hello{Enter}");
  await waitFor(() => expect(reply).toBeDefined());
  part.isBroken = true;
  for (const event of EVENTS.slice(0, -1)) send(frame(event));
  expect(await screen.findByRole("alert")).toHaveTextContent("the pane is broken");
  expect(screen.getByRole("region", { name: "Evidence" })).toBeVisible();
  expect(reply?.aborted).toBe(false);
  part.isBroken = false;
  for (const event of EVENTS.slice(-1)) send(frame(event));
  await userEvent.click(screen.getByRole("button", { name: "Show it again" }));
  const tokens = await screen.findByRole("listbox", { name: "Tokens of the conversation" });
  expect(tokens).toHaveTextContent("Grüß");
});
