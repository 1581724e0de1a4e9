/** What the tests of Compare begin with: a conversation, a prompt with a word changed, and where to look. */
import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, vi } from "vitest";
import { visitPair } from "@/features/pair/pair";
import type { Timeline, Token } from "@/model/timeline";
import { align } from "@/features/pair/alignment";
import Compare from "@/views/Compare/Compare";
import { N_LAYERS, idOf, madeUpLens, madeUpTimeline, madeUpTokens } from "./lensData";
import { type FakeServer, fakeServer, renderView } from "./renderView";

export const tokens = madeUpTokens(12);
/** As A, with one token changed at index 3 and one more after it. */
export const changed: Token[] = [
  ...tokens.slice(0, 3),
  ...[" Seine", " river"].map(tokenOf),
  ...tokens.slice(4, 9),
].map((token, index) => ({ ...token, index }));
export const alignment = align(
  tokens.map(({ id }) => id),
  changed.map(({ id }) => id),
);
export const { nPairs } = alignment;

function tokenOf(text: string): Token {
  const [token] = madeUpTokens(1);
  if (token === undefined) throw new Error("no token");
  return { ...token, id: idOf(text), text, bytes: btoa(text) };
}

export let server: FakeServer;
let serial = 0;

/** A conversation of its own for each test: what was read is kept. */
export const timelineOf = (more: Partial<Timeline> = {}): Timeline => ({
  ...madeUpTimeline(tokens, `compare-${(serial += 1)}`),
  ...more,
});

/** Gives each test of a file a `server` that knows A and the changed prompt. */
export function setUpCompare(): void {
  beforeEach(() => {
    server = fakeServer(tokens);
    server.answer = (request) => {
      const isA = typeof request.conversation_id === "string";
      return Response.json(madeUpLens(isA ? tokens : changed, request));
    };
  });
  afterEach(() => vi.unstubAllGlobals());
}

/** The prompt of B as a text. */
export async function prompt(): Promise<HTMLElement> {
  const toggle = await screen.findByRole("button", { name: "Edit as text" });
  if (toggle.getAttribute("aria-pressed") === "false") await userEvent.click(toggle);
  return screen.findByRole("textbox", { name: "The prompt of B" });
}
export const cell = () => screen.findByRole("gridcell");
export const isRead = () => screen.findByText(new RegExp(`^${nPairs} of ${nPairs} pairs read`));

/** Sets the pair as a person does, which selects the first difference. */
export async function comparePrompt(timeline = timelineOf(), index: number | null = 6, layer = N_LAYERS) {
  visitPair({ reply: "none" }, timeline.conversationId);
  const page = renderView(Compare, timeline, { index, layer });
  const box = await prompt();
  await userEvent.clear(box);
  await userEvent.type(box, "The capital of the river is{Enter}");
  return page;
}
