import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { StreamEvent } from "@/features/chat/stream";
import type { Timeline } from "@/model/timeline";
import { choose } from "@/test/choose";
import { prompt } from "@/test/compare";
import { MADE_UP, N_LAYERS, madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { EVENTS, openAnswer } from "@/test/recordedStream";
import { type FakeServer, fakeServer, refusal, renderView } from "@/test/renderView";
import { SAMPLING, branch, savedConversation } from "@/test/saved";
import Compare from "./Compare";

const tokens = madeUpTokens(12);
const written = madeUpTokens(10);
const SPAIN = "The capital of Spain is";
/** As the server keeps it: with the strings by which the template ends a reply. */
const STORED = { ...SAMPLING, temperature: 0.8, top_p: 0.9, seed: 4242, stop: ["END", "\nUser:"] };

/** The branch of A, all of it. */
const whole = (id: string) => branch(id, { n_tokens: tokens.length });
const EARLY = { start: 0, reply_start: 6, end: 8, finish_reason: "stop", sampling: STORED } as const;

let server: FakeServer;
let number = 0;
let own = "";
let other = "";
/** The reply that is being sent. */
let answer: ReturnType<typeof openAnswer> | null = null;
/** Conversations that the server has kept besides A. */
let kept: string[] = [];

const timelineOf = (more: Partial<Timeline> = {}): Timeline => ({ ...madeUpTimeline(tokens, own), ...more });

beforeEach(() => {
  number += 1;
  own = `own-${number}`;
  other = `other-${number}`;
  kept = [];
  answer = null;
  server = fakeServer(tokens);
  server.answer = (request) =>
    Response.json(madeUpLens(request.conversation_id === own ? tokens : written, request));
  server.chat = (_, signal) => {
    answer = openAnswer(signal);
    return answer.response;
  };
  server.saved = (path) => {
    const id = path.split("/")[3];
    if (id === undefined) return Response.json({ conversations: [], total: 0 });
    const turn = { start: 0, reply_start: 9, end: 12, finish_reason: "stop", sampling: STORED } as const;
    if (id === own)
      return Response.json(
        savedConversation({ model: MADE_UP, id, branches: [whole(id)], tokens: [...tokens], turns: [turn] }),
      );
    return kept.includes(id)
      ? Response.json(savedConversation({ model: MADE_UP, id, branches: [branch(id)], tokens: [...written] }))
      : refusal("conversation_not_found", "There is no such conversation.", 404);
  };
});
afterEach(() => vi.unstubAllGlobals());

const button = () => screen.findByRole("button", { name: "Compare" });
const reply = () => within(screen.getByRole("region", { name: "B’s own reply" }));
const send = (...events: StreamEvent[]) =>
  act(async () => {
    for (const event of events) answer?.send(event);
    await Promise.resolve();
  });
const [start, first, , second, done] = EVENTS;
const begun = (): StreamEvent => ({
  ...(start as Extract<StreamEvent, { type: "start" }>),
  conversation_id: other,
});
const sent = (event: StreamEvent | undefined): StreamEvent => {
  if (event === undefined) throw new Error("no such event");
  return event;
};

async function writeReply(reply = "greedy") {
  const page = renderView(Compare, timelineOf(), { index: 6, layer: N_LAYERS });
  const box = await prompt();
  await choose(screen.getByRole("combobox", { name: "B’s reply" }), reply);
  await userEvent.clear(box);
  await userEvent.type(box, SPAIN);
  await waitFor(async () => expect(await button()).toBeEnabled());
  await userEvent.click(await button());
  await waitFor(() => expect(server.chats).toHaveLength(1));
  // The first time its code has to be fetched.
  await screen.findByRole("region", { name: "B’s own reply" });
  return page;
}

async function changeB(kind: string): Promise<void> {
  await userEvent.click(screen.getByRole("button", { name: "Change B" }));
  await choose(screen.getByRole("combobox", { name: /B:/ }), kind);
}

async function finish(): Promise<void> {
  kept.push(other);
  await send(sent(done));
}

const isB = (id: string) =>
  waitFor(() => expect(server.compared.at(-1)?.b).toEqual({ conversation_id: id, kind: "logit" }));

test("it is generated greedily, as long as A’s may be, and A’s settings play no other part", async () => {
  await writeReply();
  expect(server.chats[0]?.sampling).toEqual({ temperature: 0, max_new_tokens: 16, stop: ["END"] });
  expect(reply().getByText(/greedy decoding/)).toBeVisible();
});

test("a word that is pressed is replaced, and Enter asks for the reply to the message with it", async () => {
  renderView(Compare, timelineOf(), { index: 6, layer: N_LAYERS });
  await waitFor(async () => expect(await button()).toBeEnabled());
  await userEvent.click(screen.getByRole("button", { name: "France" }));
  await userEvent.keyboard("Spain{Enter}");
  await waitFor(() => expect(server.chats).toHaveLength(1));
  expect(server.chats[0]?.messages.at(-1)?.content).toMatch(/The capital of Spain is$/);
});

test("a space after a typed word, as the keyboards of phones put it, is no part of the message", async () => {
  renderView(Compare, timelineOf(), { index: 6, layer: N_LAYERS });
  await waitFor(async () => expect(await button()).toBeEnabled());
  await userEvent.click(screen.getByRole("button", { name: "France" }));
  await userEvent.keyboard(" Spain {Enter}");
  await waitFor(() => expect(server.chats).toHaveLength(1));
  expect(server.chats[0]?.messages.at(-1)?.content).toMatch(/The capital of Spain is$/);
});

test("Compare takes the word as it is typed: the press does not leave the word first", async () => {
  renderView(Compare, timelineOf(), { index: 6, layer: N_LAYERS });
  await waitFor(async () => expect(await button()).toBeEnabled());
  await userEvent.click(screen.getByRole("button", { name: "France" }));
  await userEvent.keyboard("Spain");
  const user = userEvent.setup();
  await user.pointer({ target: await button(), keys: "[MouseLeft>]" });
  expect(screen.getByRole("textbox", { name: "Replace France with" })).toHaveFocus();
  await user.pointer({ target: await button(), keys: "[/MouseLeft]" });
  await waitFor(() => expect(server.chats).toHaveLength(1));
  expect(server.chats[0]?.messages.at(-1)?.content).toMatch(/The capital of Spain is$/);
});

test("a word that is offered in the place of another asks for the reply to the message with it", async () => {
  renderView(Compare, timelineOf(), { index: 6, layer: N_LAYERS });
  const offered = await screen.findByRole("button", { name: "Try Spain" });
  await waitFor(() => expect(offered).toBeEnabled());
  await userEvent.click(offered);
  await waitFor(() => expect(server.chats).toHaveLength(1));
  expect(server.chats[0]?.messages.at(-1)?.content).toMatch(/The capital of Spain is$/);
});

test("Escape gives up the word, and the arrow keys go from word to word", async () => {
  renderView(Compare, timelineOf(), { index: 6, layer: N_LAYERS });
  await userEvent.click(await screen.findByRole("button", { name: "France" }));
  await userEvent.keyboard("Spain{Escape}");
  screen.getByRole("button", { name: "France" }).focus();
  await userEvent.keyboard("{ArrowRight}");
  expect(screen.getByRole("button", { name: "is" })).toHaveFocus();
});

test("it is sampled as A’s was where that is chosen: the same settings and seed, a conversation of its own, and no numbers", async () => {
  await writeReply("sampled");
  expect(server.chats).toEqual([
    {
      mode: "chat",
      messages: [{ role: "user", content: SPAIN }],
      // The template's own stop string is the server's to add.
      sampling: { ...STORED, stop: ["END"] },
      lens: { scope: "none" },
      stream: true,
    },
  ]);
  expect(reply().getByText(/temperature 0.8, top-p 0.9, seed 4242/)).toBeVisible();
  expect([server.asked, server.compared]).toEqual([[], []]);
});

test("it is seen while it is written, and then B is the conversation that holds it", async () => {
  await writeReply();
  expect(reply().getByRole("status")).toHaveTextContent("Reading B’s prompt…");
  await send(begun(), sent(first));
  expect(await reply().findByText("Generating B’s reply…")).toBeVisible();
  expect(reply().getByText("1 of at most 16 tokens")).toBeVisible();
  await send(sent(second));
  expect(await reply().findByText("Grüß dich")).toBeVisible();
  expect(screen.getByRole("progressbar", { name: "Tokens of B’s reply" })).toHaveAttribute("value", "2");
  await finish();
  await isB(other);
  expect(screen.getByText("Hello")).toBeVisible();
  expect(screen.queryByRole("region", { name: "B’s own reply" })).toBeNull();
  // What was typed is there again for another try.
  await changeB("prompt");
  expect(await prompt()).toHaveValue(SPAIN);
});

test("says that it waits while the model is busy with others", async () => {
  server.waiting = 2;
  await writeReply();
  expect(reply().getByRole("status")).toHaveTextContent("Queued: the model is busy");
});

describe("what was stopped", () => {
  test("before the first token is as if it had never been asked for", async () => {
    await writeReply();
    await send(begun());
    await userEvent.click(reply().getByRole("button", { name: "Stop" }));
    expect(await reply().findByText(/Stopped before the first token arrived/)).toBeVisible();
    expect(server.compared).toEqual([]);
    await userEvent.click(reply().getByRole("button", { name: "Dismiss" }));
    expect(screen.queryByRole("region", { name: "B’s own reply" })).toBeNull();
    expect(await button()).toBeEnabled();
  });

  test("later is kept, and is B once the server has it; Escape does it as well", async () => {
    await writeReply();
    await send(begun(), sent(first));
    await reply().findByText("Generating B’s reply…");
    await userEvent.keyboard("{Escape}");
    expect(await reply().findByText(/saving the tokens so far/)).toBeVisible();
    expect(server.compared).toEqual([]);
    kept.push(other);
    await isB(other);
  });

  test("and was kept by no one is a failure, never an empty B", async () => {
    await writeReply();
    await send(begun(), sent(first));
    await reply().findByText("Generating B’s reply…");
    await userEvent.click(reply().getByRole("button", { name: "Stop" }));
    expect(await screen.findByRole("alert", {}, { timeout: 4000 })).toHaveTextContent(
      "conversation_not_found",
    );
    expect(server.compared).toEqual([]);
  });
});

describe("what failed", () => {
  test("says why and is asked for again, word for word", async () => {
    server.chat = () => refusal("queue_full", "The queue is full.", 429);
    await writeReply();
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("The queue is full.");
    expect(alert).toHaveTextContent("queue_full");
    server.chat = (_, signal) => {
      answer = openAnswer(signal);
      return answer.response;
    };
    await userEvent.click(within(alert).getByRole("button", { name: "Retry" }));
    await waitFor(() => expect(server.chats).toHaveLength(2));
    expect(server.chats[1]).toEqual(server.chats[0]);
    await send(begun(), sent(first));
    await finish();
    await isB(other);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  test("in the middle, as when the server was killed, is no B", async () => {
    await writeReply();
    await send(begun(), sent(first));
    act(() => answer?.end());
    expect(await screen.findByRole("alert")).toHaveTextContent("stream_cut");
    expect(server.compared).toEqual([]);
    await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
    expect(screen.queryByRole("alert")).toBeNull();
  });
});

describe("meanwhile", () => {
  test("the view may be left: the reply goes on, and is B when the view is opened again", async () => {
    const page = await writeReply();
    await send(begun(), sent(first));
    page.unmount();
    await send(sent(second));
    await finish();
    renderView(Compare, timelineOf(), { index: 6 });
    await isB(other);
    expect(server.chats).toHaveLength(1);
  });

  test("another B may be chosen: it stays, and the reply is offered", async () => {
    await writeReply();
    await send(begun(), sent(first));
    await changeB("same");
    await isB(own);
    await finish();
    expect(await reply().findByText(/saved as a conversation of its own/)).toBeVisible();
    expect(screen.getByText("the same text")).toBeVisible();
    await userEvent.click(reply().getByRole("button", { name: "Compare with it" }));
    await isB(other);
  });
});

describe("is refused, with the reason,", () => {
  test.each([
    ["no turn is told", []],
    ["the last turn ends before the text, as in a file of one’s own making", [EARLY]],
  ])("where it is not known how A’s reply was sampled, since %s", async (_, turns) => {
    server.saved = (path) =>
      Response.json(
        path.endsWith(own)
          ? savedConversation({ model: MADE_UP, id: own, branches: [whole(own)], tokens: [...tokens], turns })
          : { conversations: [], total: 0 },
      );
    renderView(Compare, timelineOf(), { index: 6 });
    await waitFor(async () => expect(await button()).toBeEnabled());
    await choose(screen.getByRole("combobox", { name: "B’s reply" }), "sampled");
    expect(await button()).toHaveAccessibleDescription(/A’s sampling settings are not known/);
    expect(await button()).toHaveAttribute("aria-disabled", "true");
  });

  test("only for now while what the server holds of A is behind what is shown", async () => {
    server.saved = (path) =>
      Response.json(
        path.endsWith(own)
          ? savedConversation({
              model: MADE_UP,
              id: own,
              branches: [branch(own)],
              tokens: tokens.slice(0, 8),
              turns: [EARLY],
            })
          : { conversations: [], total: 0 },
      );
    renderView(Compare, timelineOf(), { index: 6 });
    await waitFor(async () =>
      expect(await button()).toHaveAttribute("title", "The conversation is still being read."),
    );
    expect(screen.queryByText(/A’s sampling settings are not known/)).toBeNull();
  });

  test("while A’s reply is being generated", async () => {
    renderView(Compare, timelineOf({ status: "streaming" }), { index: 6 });
    await waitFor(async () =>
      expect(await button()).toHaveAttribute("title", "A’s reply is being generated."),
    );
    expect(await button()).toHaveAttribute("aria-disabled", "true");
  });
});
