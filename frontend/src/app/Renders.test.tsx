/** A token of a reply renders what shows it: the end of the transcript and the status line. */
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { HttpResponse, http } from "msw";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import type { Part } from "@/features/transcript/markdown/layout";
import { IDENTITY, LENS, PROMPT, frame, token } from "@/test/recordedStream";
import { watchRenders } from "@/test/renders";
import { summary } from "@/test/saved";
import { server } from "@/test/server";
import { App } from "./App";

beforeAll(() => server.listen({ onUnhandledRequest: "bypass" }));
afterEach(() => {
  server.resetHandlers();
  window.history.replaceState(null, "", "/");
});
afterAll(() => server.close());

const N_TOKENS = 30;
/** What a token and its read-outs may render. */
const MOVING = [
  "FollowingScroll",
  "ChatText",
  "Transcript",
  "SectionText",
  "BlockText",
  "TokenRow",
  "TokenParts",
  "TokenPart",
  "RunText",
  "ReplyStatus",
  "StatusLine",
];

const FIRST_TURN = [...PROMPT, token(6, " Grüß", "assistant"), token(7, " dich", "assistant")];
const SECOND_PROMPT = [
  ...FIRST_TURN,
  token(8, "\n", "template"),
  token(9, " Again", "user"),
  token(10, ":", "template"),
];
const REPLY_START = SECOND_PROMPT.length;

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

/** The list of conversations, with one in it; gives how often it was read. */
function serveList(): () => number {
  let nReads = 0;
  server.use(
    http.get("*/api/conversations", () => {
      nReads += 1;
      return HttpResponse.json({ conversations: [summary("older", { title: "An older one" })], total: 1 });
    }),
  );
  return () => nReads;
}

test("a token with its read-outs renders the end of the transcript and the status line only", async () => {
  vi.stubGlobal("innerWidth", 1440);
  const nListReads = serveList();
  const rendered = watchRenders();
  render(<App />);
  const composer = await screen.findByRole("textbox", { name: "Message" });
  await screen.findByText("An older one");
  await userEvent.type(composer, "Hello{Enter}");
  await screen.findByRole("button", { name: "Regenerate" });

  const send = serveByHand();
  await userEvent.type(composer, "Again{Enter}");
  await screen.findByRole("button", { name: "Stop" });
  const nReadsBefore = nListReads();
  send(
    frame({
      type: "start",
      id: "reply-2",
      conversation_id: "conversation-1",
      model: "tiny",
      model_identity: IDENTITY,
      seed: 42,
      turn_start: 8,
      steering: null,
      prompt_tokens: SECOND_PROMPT,
    }),
  );
  send(frame({ type: "token", token: token(REPLY_START, " first", "assistant") }));
  await screen.findByText("first");
  // The list is read again, once, when the reply has begun.
  await waitFor(() => expect(nListReads()).toBeGreaterThan(nReadsBefore));
  await screen.findByText("Writing…");

  const mounted = rendered().map(({ name }) => name);
  expect(mounted).toEqual(
    expect.arrayContaining(["Header", "ConversationItem", "ConversationToolbar", "Composer", "TokenPart"]),
  );
  for (let i = 1; i <= N_TOKENS; i += 1) {
    send(frame({ type: "token", token: token(REPLY_START + i, ` w${i}`, "assistant") }));
    send(frame({ type: "lens", index: REPLY_START + i, lens: LENS }));
    await screen.findByText(`w${i}`);
  }

  const since = rendered();
  const others = new Set(since.map(({ name }) => name).filter((name) => !MOVING.includes(name)));
  expect([...others]).toEqual([]);
  const earlier = since.filter(({ name, props }) => name === "TokenPart" && tokenIndex(props) < REPLY_START);
  expect(earlier).toEqual([]);
  expect(since.filter(({ name }) => name === "StatusLine").length).toBeGreaterThanOrEqual(N_TOKENS);
});

const tokenIndex = (props: unknown): number =>
  typeof props === "object" && props !== null && "part" in props ? (props.part as Part).index : Number.NaN;
