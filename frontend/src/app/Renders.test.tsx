/** What is not about the reply is not rendered with each of its tokens. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { type ChatActions, ChatProvider, useChatActions, useChatState } from "@/features/chat/chat";
import { NotesProvider, useNotes } from "@/features/notes/notes";
import { SettingsProvider } from "@/features/settings/settings";
import { EVENTS, frame, token } from "@/test/recordedStream";
import { server } from "@/test/server";
import { App } from "./App";

const renders = vi.hoisted(() => ({ header: 0, list: 0 }));
vi.mock("@/features/server/SelfCheckBadge", () => ({
  SelfCheckBadge: () => {
    renders.header += 1;
    return null;
  },
}));
vi.mock("@/features/library/Sidebar", () => ({
  default: () => {
    renders.list += 1;
    return <nav aria-label="Conversations" />;
  },
}));

beforeAll(() => server.listen({ onUnhandledRequest: "bypass" }));
afterEach(() => {
  server.resetHandlers();
  window.history.replaceState(null, "", "/");
});
afterAll(() => server.close());

const N_TOKENS = 8;
const START = EVENTS.slice(0, 2).map(frame).join("");
const words = Array.from({ length: N_TOKENS }, (_, i) =>
  frame({ type: "token", token: token(7 + i, ` w${i}`, "assistant") }),
);

/** A reply of which each event is sent by hand. */
function serveByHand(): (text: string) => void {
  let send: (text: string) => void = () => undefined;
  server.use(
    http.post("*/api/chat", () => {
      const encoder = new TextEncoder();
      const body = new ReadableStream<Uint8Array>({
        start: (controller) => (send = (text) => controller.enqueue(encoder.encode(text))),
      });
      return new HttpResponse(body, { headers: { "Content-Type": "text/event-stream" } });
    }),
  );
  return (text) => send(text);
}

test("the header and the list of conversations are not rendered with each token", async () => {
  vi.stubGlobal("innerWidth", 1440);
  const send = serveByHand();
  render(<App />);
  const composer = await screen.findByRole("textbox", { name: "Message" });
  await screen.findByRole("heading", { name: "Send a text, then click any word" });
  await screen.findByRole("navigation", { name: "Conversations" });
  await userEvent.type(composer, "Hello{Enter}");
  await screen.findByRole("button", { name: "Stop" });
  send(START);
  await screen.findByText("Grüß");
  const before = { ...renders };
  expect(before.header).toBeGreaterThan(0);
  expect(before.list).toBeGreaterThan(0);
  for (const [i, word] of words.entries()) {
    send(word);
    await screen.findByText(`w${i}`);
  }
  // Health may be read meanwhile, once.
  expect(renders.header - before.header).toBeLessThan(4);
  expect(renders.list - before.list).toBeLessThan(4);
});

test("what shows notes is not rendered with each token", async () => {
  const send = serveByHand();
  let actions: ChatActions | undefined;
  let nNotes = 0;
  let nTokens = 0;
  function Chat() {
    actions = useChatActions();
    nTokens = useChatState().timeline.tokens.length;
    return null;
  }
  function Notes() {
    useNotes();
    nNotes += 1;
    return null;
  }
  render(
    <QueryClientProvider client={new QueryClient()}>
      <SettingsProvider>
        <ChatProvider>
          <Chat />
          <NotesProvider>
            <Notes />
          </NotesProvider>
        </ChatProvider>
      </SettingsProvider>
    </QueryClientProvider>,
  );
  act(() => actions?.send("Hello"));
  // A request is under way a moment after it was asked for.
  await waitFor(() => {
    send(START);
    expect(nTokens).toBeGreaterThan(6);
  });
  const [notesBefore, tokensBefore] = [nNotes, nTokens];
  for (const [i, word] of words.entries()) {
    send(word);
    await waitFor(() => expect(nTokens).toBe(tokensBefore + i + 1));
  }
  expect(nNotes - notesBefore).toBeLessThan(3);
});
