import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { formatNats, formatSigned } from "@/model/format";
import type { Timeline } from "@/model/timeline";
import { madeUpAttribution } from "@/test/attributionData";
import { choose } from "@/test/choose";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { type FakeServer, fakeServer, refusal, renderView } from "@/test/renderView";
import Attribution from "./Attribution";

const tokens = madeUpTokens(30);
const INDEX = 9;
const whole = madeUpAttribution(tokens, { position: INDEX - 1, unit: "head" });
const CLOSED = { available: false, reason: "no linear map", max_abs_diff: null };
let server: FakeServer;
let timeline: Timeline;
let serial = 0;

beforeEach(() => {
  server = fakeServer(tokens);
  // What was opened belongs to a conversation, so each test has one of its own.
  serial += 1;
  timeline = madeUpTimeline(tokens, `attribution-${serial}`);
});
afterEach(() => vi.unstubAllGlobals());

const grid = () => screen.findByRole("treegrid");
const row = (name: RegExp) => within(screen.getByRole("treegrid")).getByRole("row", { name });
const levels = () =>
  within(screen.getByRole("treegrid"))
    .getAllByRole("row")
    .flatMap((each) => (each.getAttribute("aria-level") === null ? [] : [each.getAttribute("aria-level")]));

describe("what stands where there are no parts", () => {
  test("nothing is selected: says what to click, and asks for nothing", () => {
    renderView(Attribution, timeline, { index: null });
    expect(screen.getByText(/Select any token to see which parts/)).toBeInTheDocument();
    expect(server.attributed).toEqual([]);
  });

  test("the first token was predicted by nothing, and offers what it predicts", async () => {
    renderView(Attribution, timeline, { index: 0 });
    await userEvent.click(screen.getByRole("button", { name: "Show what it predicts" }));
    await grid();
    expect(server.attributed[0]).toMatchObject({ position: 0, unit: "head", target: null, foil: "best" });
    await userEvent.click(screen.getByRole("radio", { name: "How it was predicted" }));
  });

  test("while it is read no number is shown", async () => {
    server.attribute = () => new Promise<Response>(() => undefined);
    renderView(Attribution, timeline, { index: INDEX });
    expect(await screen.findByText("Taking the prediction apart…")).toBeVisible();
    expect(screen.queryByRole("treegrid")).not.toBeInTheDocument();
  });

  test("a reply that was stopped is asked for again until it is saved", async () => {
    const { attribute } = server;
    let asked = 0;
    server.attribute = (request) => {
      asked += 1;
      return asked === 1 ? refusal("conversation_not_found", "Not there.", 404) : attribute(request);
    };
    const stopped = timeline.turns.map((turn) => ({ ...turn, finish: "cancelled" as const }));
    renderView(Attribution, { ...timeline, turns: stopped }, { index: INDEX });
    await grid();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("parts that do not add up are an error with its reason, and no row", async () => {
    server.attribute = () => refusal("identity_failed", "The parts of this token do not add up.", 422);
    renderView(Attribution, timeline, { index: INDEX });
    expect(await screen.findByRole("alert")).toHaveTextContent("The parts of this token do not add up.");
    expect(screen.queryByRole("treegrid")).not.toBeInTheDocument();
  });
});

test("one bar a block in running order, and at the foot the API's sum, difference and residue", async () => {
  renderView(Attribution, timeline, { index: INDEX });
  await grid();
  expect(levels()).toEqual(Array.from({ length: 14 }, () => "1"));
  const block = whole.parts.filter((part) => part.block === 7);
  const adds = block.reduce((sum, { contribution }) => sum + contribution, 0);
  expect(row(/^Block 7:/)).toHaveTextContent(formatSigned(adds));
  const foot = (name: string) => screen.getByText(name).nextSibling;
  expect(foot("sum of the parts")).toHaveTextContent(formatNats(whole.sum));
  expect(foot("logit difference")).toHaveTextContent(formatNats(whole.difference));
  expect(foot("residue")).toHaveTextContent(formatNats(whole.residue));
});

test("the softcap is stated where the model has one", async () => {
  server.attribute = (request) => Response.json({ ...madeUpAttribution(tokens, request), softcap: 30 });
  renderView(Attribution, timeline, { index: INDEX });
  expect(await screen.findByText(/caps its logits at 30/)).toBeVisible();
});

describe("the rows", () => {
  test("open by keyboard down to the words that a head read, and close again", async () => {
    renderView(Attribution, timeline, { index: INDEX });
    await grid();
    row(/^Embedding:/).focus();
    await userEvent.keyboard("{ArrowDown}{ArrowDown}{ArrowDown}{ArrowRight}{ArrowRight}");
    expect(row(/^Attention:/)).toHaveFocus();
    await userEvent.keyboard("{ArrowRight}{ArrowRight}{ArrowDown}");
    expect(row(/^Head 1:/)).toHaveFocus();
    expect(row(/^Head 1:/)).toHaveAttribute("aria-setsize", "3");
    await userEvent.keyboard("{Enter}");
    expect(await screen.findByText(/read from|no word makes half of it/)).toBeVisible();
    expect(server.attributed).toContainEqual(
      expect.objectContaining({ position: INDEX - 1, unit: "source", block: 3, head: 1 }),
    );
    expect(row(/^4 other words:/)).toHaveAttribute("aria-level", "4");
    await userEvent.keyboard("{ArrowLeft}");
    expect(row(/^Head 1:/)).toHaveAttribute("aria-expanded", "false");
    await userEvent.keyboard("{ArrowLeft}");
    expect(row(/^Attention:/)).toHaveFocus();
    await userEvent.keyboard("{End}");
    expect(row(/^Final biases:/)).toHaveFocus();
  });

  test("a press on a word selects that token, and the head stays selected", async () => {
    const view = renderView(Attribution, timeline, { index: INDEX });
    await grid();
    await userEvent.click(await screen.findByRole("button", { name: "Show" }));
    const { place } = view.selection();
    expect(place).toMatchObject({ kind: "head", index: INDEX });
    await userEvent.click(row(/^·France/));
    expect(view.selection().place).toEqual({ ...place, index: 4, second: null });
  });

  test("a head that another view or an address selects is seen, with the word", async () => {
    const view = renderView(Attribution, timeline, { index: INDEX });
    await grid();
    act(() => view.selection().selectPlace({ kind: "head", index: INDEX, block: 6, head: 1, second: 8 }));
    const word = await screen.findByRole("row", { name: /, index 8:/ });
    expect(word).toHaveAttribute("aria-current", "true");
    await userEvent.click(row(/^Block 6:/));
    expect(screen.queryByRole("row", { name: /^Attention:/ })).not.toBeInTheDocument();
  });

  test("an MLP opens to as many neurons as were chosen", async () => {
    renderView(Attribution, timeline, { index: INDEX });
    await grid();
    await userEvent.click(row(/^Block 2:/));
    await userEvent.click(row(/^MLP:/));
    expect(await within(await grid()).findAllByRole("row", { name: /^Neuron/ })).toHaveLength(5);
    await choose(screen.getByRole("combobox", { name: "rows" }), "10");
    await waitFor(() => expect(screen.getAllByRole("row", { name: /^Neuron/ })).toHaveLength(10));
    expect(server.attributed).toContainEqual(
      expect.objectContaining({ unit: "neuron", block: 2, top_k: 10 }),
    );
    expect(row(/^Other neurons:/)).toBeVisible();
    await choose(screen.getByRole("combobox", { name: "rows" }), "5");
  });

  test("what could not be opened says why in its place, and is asked for again", async () => {
    const { attribute } = server;
    server.attribute = (request) =>
      request.unit === "neuron" ? refusal("identity_failed", "No such map.", 422) : attribute(request);
    renderView(Attribution, timeline, { index: INDEX });
    await grid();
    await userEvent.click(row(/^Block 2:/));
    await userEvent.click(row(/^MLP:/));
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("The neurons of this MLP could not be read.");
    server.attribute = attribute;
    await userEvent.click(within(alert).getByRole("button", { name: "Retry" }));
    expect(await screen.findAllByRole("row", { name: /^Neuron/ })).toHaveLength(5);
  });

  test("do not open where the model has no such parts, and blocks keep their attention and MLP", async () => {
    server.capabilities = { ...server.capabilities, heads: CLOSED, attention: CLOSED, neurons: CLOSED };
    renderView(Attribution, timeline, { index: INDEX });
    await grid();
    expect(server.attributed).toMatchObject([{ unit: "component" }]);
    await userEvent.click(row(/^Block 2:/));
    expect(row(/^Attention:/)).not.toHaveAttribute("aria-expanded");
    expect(row(/^MLP:/)).not.toHaveAttribute("aria-expanded");
    expect(screen.getByText("MLPs are not split further: no linear map.")).toBeVisible();
  });
});

describe("the two logits", () => {
  test("a foil of the vocabulary is found by its text, and asked for", async () => {
    renderView(Attribution, timeline, { index: INDEX });
    await grid();
    await userEvent.click(screen.getByRole("button", { name: "Foil" }));
    const dialog = await screen.findByRole("dialog", { name: "Foil" });
    await userEvent.type(within(dialog).getByRole("combobox"), "river");
    await userEvent.click((await within(dialog).findAllByRole("option"))[0] ?? dialog);
    await waitFor(() => expect(screen.queryByRole("dialog")).not.toBeInTheDocument());
    await waitFor(() => expect(server.attributed.at(-1)?.foil).toEqual(expect.any(Number)));
  });

  test("without a foil the logit itself is taken apart, and there is no second column", async () => {
    renderView(Attribution, timeline, { index: INDEX });
    await grid();
    await userEvent.click(screen.getByRole("button", { name: "Foil" }));
    await userEvent.click(await screen.findByRole("button", { name: /^Nothing/ }));
    expect(await screen.findByText("logit")).toBeVisible();
    expect(server.attributed.at(-1)).toMatchObject({ foil: "none" });
  });
});
