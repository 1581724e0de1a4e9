import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ViewProps } from "@/features/evidence/view";
import { decisionLayer } from "@/model/decision";
import { formatNats, formatProbability, formatRank, formatSigned } from "@/model/format";
import { largestPart } from "@/reading/attribution";
import { madeUpAttribution } from "@/test/attributionData";
import { madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { type FakeServer, fakeServer, refusal, renderView } from "@/test/renderView";
import ExampleGuide from "./ExampleGuide";
import { workedExample } from "./examples";

const tokens = madeUpTokens(20);
const EXAMPLE = {
  title: "A capital",
  mode: "chat" as const,
  text: "x",
  watch: tokens[9]?.text ?? "",
  note: "Look.",
};
const onShowView = vi.fn();
let server: FakeServer;

beforeEach(() => {
  server = fakeServer(tokens);
  onShowView.mockClear();
});
afterEach(() => vi.unstubAllGlobals());

const guideOf = (index: number, watch = tokens[index]?.text ?? "") =>
  function Guide({ timeline }: ViewProps) {
    const token = timeline.tokens[index];
    if (token === undefined) throw new Error("no token");
    return (
      <ExampleGuide
        example={{ ...EXAMPLE, watch }}
        timeline={timeline}
        token={token}
        onShowView={onShowView}
      />
    );
  };

test("every number is read from the model that runs", async () => {
  const lens = madeUpLens(tokens, { positions: [9, 10], top_k: 5 });
  const ranks = lens.next_rank.map((row) => row[0] ?? 0);
  const probabilities = lens.next_probability.map((row) => row[0] ?? 0);
  const entropies = lens.entropy_nats.map((row) => row[0] ?? 0);
  renderView(guideOf(10), madeUpTimeline(tokens, "guide"), { index: 3 });
  const [standard, trajectories, heatmap] = await screen.findAllByRole("listitem");
  const decided = decisionLayer(ranks);
  expect(decided).not.toBeNull();
  expect(standard).toHaveTextContent(`is top-1 from layer ${decided}`);
  expect(standard).toHaveTextContent(
    `probability ${formatProbability(probabilities.at(-1) ?? null)} at the output`,
  );
  expect(standard).toHaveTextContent(`rank ${formatRank(ranks[(decided ?? 0) - 1] ?? null)}`);
  const rises = probabilities.map((each, at) => (at === 0 ? -1 : each - (probabilities[at - 1] ?? 0)));
  const rise = rises.indexOf(Math.max(...rises));
  expect(trajectories).toHaveTextContent(`rises most at layer ${rise}`);
  expect(trajectories).toHaveTextContent(
    `from ${formatProbability(probabilities[rise - 1] ?? null)} to ${formatProbability(probabilities[rise] ?? null)}`,
  );
  const widest = entropies.indexOf(Math.max(...entropies.slice(1)), 1);
  expect(heatmap).toHaveTextContent(`layer ${widest}, at ${formatNats(entropies[widest] ?? null)} nats`);
});

test("a finding opens its view at its token and layer", async () => {
  const { selection } = renderView(guideOf(10), madeUpTimeline(tokens, "guide"), { index: 3 });
  await userEvent.click(await screen.findByRole("button", { name: "Show it in Heatmap" }));
  expect(onShowView).toHaveBeenCalledWith("heatmap");
  expect(selection().index).toBe(10);
  expect(selection().layer).not.toBeNull();
});

test("the head that adds most is found on the model that runs, and shown with the word that it read", async () => {
  const ask = { position: 9, target: null, foil: "best" as const };
  const whole = madeUpAttribution(tokens, { ...ask, unit: "head" });
  const best = largestPart(whole.parts, "head");
  const { block = 0, head = 0, contribution = 0 } = best ?? {};
  const words = madeUpAttribution(tokens, { ...ask, unit: "source", block, head });
  const read = largestPart(words.parts, "source");
  const { selection } = renderView(guideOf(10), madeUpTimeline(tokens, "guide-head"), { index: 3 });
  const show = await screen.findByRole("button", { name: "Show it in Attribution" });
  expect(show.closest("li")).toHaveTextContent(
    `head ${head} of block ${block} adds most to “·which” over “·rival”: ${formatSigned(contribution)} of ${formatSigned(whole.difference)} logits, ${formatSigned(read?.contribution ?? 0)} of it read from`,
  );
  await userEvent.click(show);
  expect(onShowView).toHaveBeenCalledWith("attribution");
  expect(selection().place).toEqual({ kind: "head", index: 10, block, head, second: read?.source });
});

test("the last step leads to Patch, with the token selected at which it is read", async () => {
  const { selection } = renderView(guideOf(10), madeUpTimeline(tokens, "guide-patch"), { index: 3 });
  await userEvent.click(await screen.findByRole("button", { name: "Show it in Patch" }));
  expect(onShowView).toHaveBeenCalledWith("patch");
  expect(selection().index).toBe(10);
});

test("a model that is not split into heads has no such step", async () => {
  const closed = { available: false, reason: "no linear map", max_abs_diff: null };
  server.capabilities = { ...server.capabilities, heads: closed };
  renderView(guideOf(10), madeUpTimeline(tokens, "guide-no-heads"), { index: 3 });
  await screen.findByRole("button", { name: "Show it in Patch" });
  expect(screen.getAllByRole("listitem")).toHaveLength(4);
  expect(server.attributed).toEqual([]);
});

test("a reply without the expected token says so", async () => {
  renderView(guideOf(10, " Lyon"), madeUpTimeline(tokens, "guide"), { index: 3 });
  expect(await screen.findByText(/The reply has no/)).toHaveTextContent("·Lyon");
});

test("loading and failed: it says what it does, and reads again when asked", async () => {
  let refuse = true;
  server.answer = (request) =>
    refuse ? refusal("model_loading", "The model is loading.") : Response.json(madeUpLens(tokens, request));
  renderView(guideOf(11), madeUpTimeline(tokens, "guide-failed"), { index: 3 });
  expect(screen.getByRole("status")).toHaveTextContent("Reading the layers");
  expect(await screen.findByRole("alert")).toHaveTextContent("The model is loading.");
  refuse = false;
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  await waitFor(() => expect(screen.getAllByRole("listitem")).toHaveLength(5));
});

test("it can be closed", async () => {
  renderView(guideOf(10), madeUpTimeline(tokens, "guide"), { index: 3 });
  await userEvent.click(screen.getByRole("button", { name: "Close the explanation" }));
  expect(screen.queryByRole("region", { name: "What to see" })).not.toBeInTheDocument();
});

test("only a conversation of one turn that began with an example's text is one", () => {
  const timeline = madeUpTimeline(tokens, "which");
  const text = tokens
    .filter((token) => token.role === "user")
    .map((token) => token.text)
    .join("")
    .trim();
  const example = { ...EXAMPLE, text };
  expect(workedExample(timeline, "chat", [example])).toMatchObject({ example, token: { index: 9 } });
  expect(workedExample(timeline, "completion", [example])).toBeNull();
  expect(workedExample(timeline, "chat", [{ ...example, text: "else" }])).toBeNull();
  expect(workedExample({ ...timeline, status: "streaming" }, "chat", [example])).toBeNull();
  const [turn] = timeline.turns;
  if (turn === undefined) throw new Error("no turn");
  expect(workedExample({ ...timeline, turns: [turn, turn] }, "chat", [example])).toBeNull();
  // Its token is looked for in the reply; where it is not there, the first token of the reply stands for it.
  expect(workedExample(timeline, "chat", [{ ...example, watch: " Lyon" }])?.token.index).toBe(9);
  expect(workedExample(timeline, "chat", [{ ...example, watch: tokens[12]?.text ?? "" }])?.token.index).toBe(
    12,
  );
});
