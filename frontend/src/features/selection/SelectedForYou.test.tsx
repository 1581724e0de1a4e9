import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { matchMedia } from "@/test/media";
import { LENS } from "@/test/recordedStream";
import { fakeServer, renderView } from "@/test/renderView";
import { SelectedForYou } from "./SelectedForYou";

const decided = LENS.map((layer) => ({ ...layer, actual: { probability: 0.5, rank: 1 } }));
const tokens = madeUpTokens(17).map((token) => ({
  ...token,
  lens: token.text === " river" ? decided : LENS,
}));
const reply = madeUpTimeline(tokens, "reply");
const river = tokens.findIndex(({ text }) => text === " river");

beforeEach(() => void fakeServer(tokens));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

test("a reply that has ended selects its most telling token and says so, until it is cleared", async () => {
  const { selection, show } = renderView(SelectedForYou, { ...reply, status: "streaming" }, { index: null });
  expect(selection().index).toBeNull();
  show(reply);
  expect(await screen.findByText(/is selected for you/)).toHaveTextContent("·river");
  expect(selection().index).toBe(river);
  await userEvent.click(screen.getByRole("button", { name: "Clear the selection" }));
  expect(selection().index).toBeNull();
  expect(screen.queryByText(/is selected for you/)).not.toBeInTheDocument();
});

test("what the person selected meanwhile stays, and nothing is said", () => {
  const { selection, show } = renderView(SelectedForYou, { ...reply, status: "streaming" }, { index: 4 });
  show(reply);
  expect(selection().index).toBe(4);
  expect(screen.queryByText(/is selected for you/)).not.toBeInTheDocument();
});

test("of a reply that was stopped nothing is selected, as the server may not have stored it yet", () => {
  const turns = reply.turns.map((turn) => ({ ...turn, finish: "cancelled" as const }));
  const { selection } = renderView(SelectedForYou, { ...reply, turns }, { index: null });
  expect(selection().index).toBeNull();
});

test("where the evidence would cover the text, nothing is selected", () => {
  matchMedia((query) => query.includes("width <"));
  const { selection } = renderView(SelectedForYou, reply, { index: null });
  expect(selection().index).toBeNull();
});
