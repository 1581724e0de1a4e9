import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { storedName } from "@/base/stored";
import { MAX_PINNED_TOKENS } from "@/features/pins/pins";
import { formatLogprob, formatProbability, formatRank } from "@/model/format";
import type { Token } from "@/model/timeline";
import { N_LAYERS, idOf, madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { type FakeServer, fakeServer, refusal, renderView } from "@/test/renderView";
import Trajectories from "./Trajectories";

const tokens = madeUpTokens(30);
const INDEX = 9;
const POSITION = INDEX - 1;
let server: FakeServer;
let timeline: ReturnType<typeof madeUpTimeline>;
let serial = 0;

beforeEach(() => {
  server = fakeServer(tokens);
  serial += 1;
  timeline = madeUpTimeline(tokens, `trajectories-${serial}`);
});
afterEach(() => vi.unstubAllGlobals());

const token = (text: string) => ({ id: idOf(text), text });
const values = () => within(screen.getByRole("region", { name: "Values" }));
/** By its text: computed names put spaces between the pieces that a token is drawn in. */
const rowOf = (text: RegExp): HTMLElement => {
  const row = values()
    .getAllByRole("row")
    .find((each) => text.test(each.textContent));
  if (row === undefined) throw new Error(`no row for ${text.source}`);
  return row;
};
const hasTargets = (request: FakeServer["asked"][number]): boolean => (request.targets ?? []).length > 0;
const asked = () => server.asked.filter(hasTargets);
/** Until the first line has its values. */
const read = () => waitFor(() => expect(values().getAllByRole("cell")[0]).toHaveTextContent(/\d/));
const slider = () => screen.getByRole("slider", { name: "Layer" });

/** What the server says of a token at one position, layer by layer. */
function truth(text: string, position = POSITION) {
  const lens = madeUpLens(tokens, { positions: [position, position + 1], targets: [idOf(text)] });
  const at = (layer: number) => ({
    probability: lens.targets[0]?.probability[layer]?.[0] ?? Number.NaN,
    rank: lens.targets[0]?.rank[layer]?.[0] ?? Number.NaN,
  });
  return { at };
}

/** Pins tokens and shows the view with them. */
async function withPins(...texts: readonly string[]) {
  const view = renderView(Trajectories, timeline, { index: INDEX });
  act(() => view.pins().pin(texts.map(token)));
  await waitFor(() => expect(asked().length).toBeGreaterThan(0));
  await read();
  return view;
}

describe("the four states", () => {
  test("empty: says what to click", () => {
    renderView(Trajectories, timeline, { index: null });
    expect(screen.getByText(/Select any token/)).toBeInTheDocument();
    expect(screen.queryByRole("slider")).not.toBeInTheDocument();
  });

  test("empty: without a conversation there is nothing to read yet", () => {
    renderView(
      Trajectories,
      { ...timeline, conversationId: null, tokens: [], status: "empty" },
      { index: null },
    );
    expect(screen.getByText(/Nothing to read yet/)).toBeInTheDocument();
  });

  test("empty: of the first token, says that nothing predicted it and offers the other direction", async () => {
    renderView(Trajectories, timeline, { index: 0 });
    expect(screen.getByText(/nothing came before it/)).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Show what it predicts" }));
    expect(await screen.findByRole("slider")).toBeInTheDocument();
  });

  test("loading: says so, and shows of the actual token what the read-outs have", async () => {
    const answer = server.answer;
    server.answer = (request) =>
      hasTargets(request) ? new Promise<Response>(() => undefined) : answer(request);
    renderView(Trajectories, timeline, { index: INDEX });
    await waitFor(() => expect(slider()).toHaveAttribute("aria-busy", "true"));
    await waitFor(() => expect(values().getAllByRole("rowheader")).toHaveLength(5));
    expect(screen.getByText("Reading…")).toBeInTheDocument();
    const { probability, rank } = truth(",").at(N_LAYERS);
    expect(rowOf(/actual/)).toHaveTextContent(formatProbability(probability));
    expect(rowOf(/actual/)).toHaveTextContent(formatRank(rank));
  });

  test("failed: says what and why, shows no number, and reads again on request", async () => {
    const answer = server.answer;
    server.answer = (request) =>
      hasTargets(request) ? refusal("out_of_memory", "Not enough memory.", 507) : answer(request);
    renderView(Trajectories, timeline, { index: INDEX });
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("Not enough memory.");
    expect(alert).toHaveTextContent("out_of_memory");
    expect(screen.queryByRole("slider")).not.toBeInTheDocument();
    server.answer = answer;
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(await screen.findByRole("slider")).toBeInTheDocument();
    await read();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("cancelled: stops on request, says so, and reads on on request", async () => {
    const answer = server.answer;
    server.answer = (request) =>
      hasTargets(request) ? new Promise<Response>(() => undefined) : answer(request);
    renderView(Trajectories, timeline, { index: INDEX });
    await userEvent.click(await screen.findByRole("button", { name: "Stop reading" }));
    expect(await screen.findByText(/Reading was stopped/)).toBeInTheDocument();
    server.answer = answer;
    await userEvent.click(screen.getByRole("button", { name: "Read on" }));
    await read();
    expect(screen.queryByText(/Reading was stopped/)).not.toBeInTheDocument();
  });

  test("done: with nothing pinned, the actual token and the output's first choices, as the server has them", async () => {
    renderView(Trajectories, timeline, { index: INDEX });
    await waitFor(() => expect(values().getAllByRole("rowheader")).toHaveLength(5));
    await read();
    expect(screen.getByText(/Nothing is pinned, so this shows the actual token/)).toBeInTheDocument();
    const [actual] = values().getAllByRole("rowheader");
    expect(actual).toHaveTextContent(`,at ${POSITION}actual`);
    const top = madeUpLens(tokens, { positions: [POSITION, INDEX], top_k: 5 }).top_ids.at(-1)?.[0] ?? [];
    expect(asked()).toMatchObject([
      {
        conversation_id: timeline.conversationId,
        positions: [POSITION, INDEX],
        include_tokens: false,
        targets: [idOf(","), ...top.filter((id) => id !== idOf(","))].slice(0, 5),
      },
    ]);
    const { probability, rank } = truth(",").at(N_LAYERS);
    const row = values().getAllByRole("row")[1];
    expect(row).toHaveTextContent(formatProbability(probability));
    expect(row).toHaveTextContent(formatLogprob(probability));
    expect(row).toHaveTextContent(formatRank(rank));
  });
});

describe("pins", () => {
  test("a token is found in the vocabulary, seen before it is pinned, and pinned by keyboard", async () => {
    const view = renderView(Trajectories, timeline, { index: INDEX });
    const search = await screen.findByRole("combobox", { name: /Pin a token/ });
    await userEvent.type(search, "Paris");
    const option = await screen.findByRole("option");
    expect(option).toHaveTextContent(`·Parisid ${idOf(" Paris")}`);
    expect(search).toHaveAttribute("aria-expanded", "true");
    expect(search).toHaveAttribute("aria-activedescendant", option.id);
    const preview = formatProbability(truth(" Paris").at(N_LAYERS).probability);
    expect(await screen.findByText(/^preview/)).toHaveTextContent(preview);
    expect(view.pins().pins).toEqual([]);
    await userEvent.keyboard("{Enter}");
    expect(view.pins().pins).toMatchObject([{ slot: 0, tokens: [token(" Paris")] }]);
    expect(option).toHaveTextContent("pinned");
    await userEvent.keyboard("{Escape}");
    expect(search).toHaveAttribute("aria-expanded", "false");
    await userEvent.keyboard("{Escape}");
    expect(search).toHaveValue("");
    expect(search).toHaveFocus();
    expect(rowOf(/·Paris/)).toHaveTextContent(preview);
  });

  test("a text that is no token is said to be none", async () => {
    renderView(Trajectories, timeline, { index: INDEX });
    await userEvent.type(await screen.findByRole("combobox", { name: /Pin a token/ }), "zebra");
    expect(await screen.findByText("No token begins with this text.")).toBeInTheDocument();
  });

  test("what is known is not read again: one more pin asks for one more token", async () => {
    const view = await withPins(" Paris");
    const before = asked().length;
    act(() => view.pins().pin([token(" river")]));
    await waitFor(() => expect(asked()).toHaveLength(before + 1));
    expect(asked().at(-1)?.targets).toEqual([idOf(" river")]);
    await userEvent.click(screen.getByRole("button", { name: "Unpin ·river" }));
    expect(view.pins().pins).toHaveLength(1);
    expect(asked()).toHaveLength(before + 1);
  });

  test("the suggested tokens can be pinned all at once and one by one", async () => {
    const view = renderView(Trajectories, timeline, { index: INDEX });
    await userEvent.click(await screen.findByRole("button", { name: "Pin all 5" }));
    expect(view.pins().pins).toHaveLength(5);
    const suggestions = within(screen.getByRole("group", { name: "Suggestions" }));
    const actual = suggestions.getByRole("button", { name: "Pin ,, the actual token" });
    expect(actual).toHaveAttribute("aria-pressed", "true");
    await userEvent.click(actual);
    expect(view.pins().pins).toHaveLength(4);
    await userEvent.click(screen.getByRole("button", { name: "Unpin all" }));
    expect(view.pins().pins).toEqual([]);
    expect(screen.getByText(/Nothing is pinned/)).toBeInTheDocument();
  });

  test("suggested tokens that are not pinned stay beside those that are, as thin lines", async () => {
    renderView(Trajectories, timeline, { index: INDEX });
    await userEvent.click(await screen.findByRole("button", { name: "Pin all 5" }));
    const rivals = () => document.querySelectorAll('[data-part="rival"]');
    expect(rivals()).toHaveLength(0);
    const suggestions = within(screen.getByRole("group", { name: "Suggestions" }));
    for (const suggested of suggestions.getAllByRole("button", { name: /^Pin / }).slice(-2)) {
      await userEvent.click(suggested);
    }
    await waitFor(() => expect(rivals()).toHaveLength(2));
    for (const line of rivals()) expect(line.getAttribute("d")).toMatch(/^M.*L/);
  });

  test("at the limit it says so", async () => {
    await withPins(..." the| capital| of| France| is| Paris| river| city".split("|").slice(0, 7), " which");
    const told = screen.getAllByRole("status").map(({ textContent }) => textContent);
    expect(told.join()).toContain(`${MAX_PINNED_TOKENS} tokens are pinned`);
  });

  test("a pinned position gives each token one more line, and the selected one stays", async () => {
    const view = await withPins(" Paris");
    await userEvent.click(screen.getByRole("button", { name: "Pin this position" }));
    act(() => view.selection().select(5));
    await waitFor(() => expect(values().getAllByRole("rowheader")).toHaveLength(3));
    const heads = values().getAllByRole("rowheader");
    expect(heads[0]).toHaveTextContent("at 4actual");
    expect(heads[1]).toHaveTextContent("at 4");
    expect(heads[2]).toHaveTextContent(`at ${POSITION}`);
    const kept = formatProbability(truth(" Paris", POSITION).at(N_LAYERS).probability);
    expect(values().getAllByRole("row")[3]).toHaveTextContent(kept);
    await userEvent.click(screen.getByRole("button", { name: `Unpin index ${POSITION}` }));
    expect(values().getAllByRole("rowheader")).toHaveLength(2);
  });
});

describe("the actual token", () => {
  const actualRows = () =>
    values()
      .getAllByRole("rowheader")
      .filter((head) => head.textContent.endsWith("actual"));
  const always = () => screen.getByRole("switch", { name: "Always show the actual token" });
  const missing = /the actual token, is not among the lines/;
  const N_PINNED = 1;

  test("has a line besides the pinned ones, with the server's numbers, and can be pinned there", async () => {
    const view = await withPins(" Paris");
    await waitFor(() => expect(values().getAllByRole("row")[1]).toHaveTextContent(/,at 8actual.*\d/));
    const { probability, rank } = truth(",").at(N_LAYERS);
    const [row] = values().getAllByRole("row").slice(1);
    if (row === undefined) throw new Error("no row");
    const cells = within(row).getAllByRole("cell");
    expect(cells[0]).toHaveTextContent(formatProbability(probability));
    expect(cells[1]).toHaveTextContent(formatLogprob(probability));
    expect(cells[2]).toHaveTextContent(formatRank(rank));
    expect(screen.queryByText(missing)).not.toBeInTheDocument();
    await userEvent.click(within(row).getByRole("button", { name: "Pin ," }));
    expect(view.pins().pins).toMatchObject([{ tokens: [token(" Paris")] }, { tokens: [{ id: idOf(",") }] }]);
    // Now it is the line of a pin, marked, and stands where the others do.
    expect(values().getAllByRole("rowheader")).toHaveLength(N_PINNED + 1);
    expect(actualRows()).toEqual([values().getAllByRole("rowheader").at(-1)]);
    expect(within(rowOf(/^,at/)).getByRole("button", { name: "Unpin ," })).toBeInTheDocument();
  });

  test("is named by its bytes where it is half a character, before and after it is pinned", async () => {
    const half = { ...madeUpTokens(30)[INDEX], text: "\ufffd", bytes: btoa("\xf0\x9f") } as Token;
    const view = renderView(
      Trajectories,
      { ...timeline, tokens: tokens.with(INDEX, half) },
      { index: INDEX },
    );
    await read();
    expect(actualRows()[0]).toHaveTextContent("\\xF0\\x9F");
    await userEvent.click(screen.getByRole("button", { name: "Pin \\xF0\\x9F" }));
    expect(view.pins().pins).toMatchObject([{ tokens: [{ id: half.id }] }]);
    expect(actualRows()[0]).toHaveTextContent("\\xF0\\x9F");
  });

  test("moves with the selection", async () => {
    const view = await withPins(" Paris");
    act(() => view.selection().select(INDEX + 1));
    const next = tokens[INDEX + 1];
    await waitFor(() => expect(actualRows()[0]).toHaveTextContent(`at ${INDEX}actual`));
    await waitFor(() => expect(asked().at(-1)?.targets).toContain(next?.id));
  });

  test("has a line also where it is part of a sum", async () => {
    const view = await withPins(",", " Paris");
    act(() => view.pins().combine([0, 1]));
    await waitFor(() => expect(values().getAllByRole("rowheader")).toHaveLength(2));
    expect(actualRows()).toHaveLength(1);
    expect(actualRows()[0]).not.toHaveTextContent("sum of");
  });

  test("is left out on request, which is remembered and said, and drawn again", async () => {
    await withPins(" Paris");
    await userEvent.click(always());
    expect(actualRows()).toEqual([]);
    expect(values().getAllByRole("rowheader")).toHaveLength(N_PINNED);
    expect(window.localStorage.getItem(storedName("view-trajectories"))).toContain('"actual":"off"');
    expect(await screen.findByText(missing)).toHaveTextContent(/^“,”/);
    await userEvent.click(screen.getByRole("button", { name: "Show it" }));
    expect(always()).toBeChecked();
    expect(actualRows()).toHaveLength(1);
    expect(screen.queryByText(missing)).not.toBeInTheDocument();
  });

  test("left out, and nothing pinned, the lines are the output's first choices and no others", async () => {
    window.localStorage.setItem(storedName("view-trajectories"), '{"actual":"off"}');
    renderView(Trajectories, timeline, { index: INDEX });
    expect(await screen.findByText(/so this shows the output’s top predictions here/)).toBeInTheDocument();
    await read();
    const top = madeUpLens(tokens, { positions: [POSITION, INDEX], top_k: 5 }).top_ids.at(-1)?.[0];
    expect(asked()).toMatchObject([{ targets: top }]);
  });

  test("is not there where nothing follows yet, and is not missed", async () => {
    const view = renderView(Trajectories, timeline, { index: tokens.length - 1 });
    act(() => view.pins().pin([token(" Paris")]));
    await userEvent.click(screen.getByRole("radio", { name: "What it predicts" }));
    await waitFor(() => expect(values().getAllByRole("rowheader")).toHaveLength(N_PINNED));
    await read();
    expect(actualRows()).toEqual([]);
    expect(screen.queryByText(missing)).not.toBeInTheDocument();
  });

  test("is named in the table of every layer", async () => {
    await withPins(" Paris");
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    const heads = screen.getByRole("table", { name: /^Every layer/ }).querySelectorAll("thead th");
    expect(heads[1]).toHaveTextContent(/^, at 8actual$/);
    expect(heads[2]).toHaveTextContent(/^·Paris at 8$/);
  });
});

describe("sums", () => {
  test("chosen tokens become one line whose probability is their sum, without a rank", async () => {
    await withPins(" Paris", " which");
    await userEvent.click(screen.getByRole("checkbox", { name: "Add ·Paris to a sum" }));
    expect(screen.getByRole("button", { name: "Sum selected" })).toBeDisabled();
    await userEvent.click(screen.getByRole("checkbox", { name: "Add ·which to a sum" }));
    await userEvent.click(screen.getByRole("button", { name: "Sum selected" }));
    const sum = truth(" Paris").at(N_LAYERS).probability + truth(" which").at(N_LAYERS).probability;
    const row = rowOf(/sum of ·Paris/);
    const cells = within(row).getAllByRole("cell");
    expect(cells[0]).toHaveTextContent(formatProbability(sum));
    expect(cells[1]).toHaveTextContent(formatLogprob(sum));
    expect(cells[2]).toHaveTextContent("–");
    expect(screen.getByText(/It has no rank/)).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Split the sum of ·Paris and ·which" }));
    expect(rowOf(/^·which/)).toBeInTheDocument();
  });
});

describe("layers and metrics", () => {
  test("the chart is a slider: arrow keys select a layer and the values follow", async () => {
    const view = await withPins(" Paris");
    slider().focus();
    await userEvent.keyboard("{End}{ArrowLeft}");
    expect(view.selection()).toMatchObject({ index: INDEX, layer: N_LAYERS - 1 });
    expect(values().getByText(`Layer ${N_LAYERS - 1}`)).toBeInTheDocument();
    const value = formatProbability(truth(" Paris").at(N_LAYERS - 1).probability);
    const actual = formatProbability(truth(",").at(N_LAYERS - 1).probability);
    expect(rowOf(/·Paris/)).toHaveTextContent(value);
    expect(slider()).toHaveAttribute(
      "aria-valuetext",
      `Layer ${N_LAYERS - 1}. ,, the actual token, at index ${POSITION}: ${actual}; ·Paris at index ${POSITION}: ${value}`,
    );
    await userEvent.keyboard("{Home}");
    expect(view.selection()).toMatchObject({ layer: 0 });
    expect(values().getByText("Layer 0 (embedding)")).toBeInTheDocument();
  });

  test("the pointer shows the values of a layer and leaves the selection alone; a click selects", async () => {
    const view = await withPins(" Paris");
    // Nothing is laid out: the plot of 424 px begins 52 px from the left, so layer 6 is in its middle.
    fireEvent.pointerMove(slider(), { clientX: 52 + 212 });
    expect(values().getByRole("table")).toHaveTextContent("Layer 6 under the pointer");
    expect(view.selection().layer).toBeNull();
    fireEvent.pointerLeave(slider());
    expect(values().getByRole("table")).not.toHaveTextContent("under the pointer");
    fireEvent.click(slider(), { clientX: 52 + 212 });
    expect(view.selection()).toMatchObject({ index: INDEX, layer: 6 });
  });

  test("the metric changes what is drawn and needs no request", async () => {
    await withPins(" Paris");
    const before = server.asked.length;
    await userEvent.click(screen.getByRole("radio", { name: "Rank" }));
    expect(screen.getByRole("figure", { name: /rank, log scale/ })).toBeInTheDocument();
    await userEvent.click(screen.getByRole("radio", { name: "Log-prob." }));
    expect(screen.getByRole("figure", { name: /log-probability, nats/ })).toBeInTheDocument();
    expect(server.asked).toHaveLength(before);
  });

  test("every number is also in a table, by layer", async () => {
    const view = await withPins(" Paris");
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    const table = within(screen.getByRole("table", { name: /^Every layer/ }));
    const rows = table.getAllByRole("row");
    expect(rows).toHaveLength(N_LAYERS + 2);
    for (const layer of [0, 4, N_LAYERS]) {
      expect(rows[N_LAYERS + 1 - layer]).toHaveTextContent(
        formatProbability(truth(" Paris").at(layer).probability),
      );
    }
    await userEvent.click(table.getByRole("button", { name: "Layer 4" }));
    expect(view.selection()).toMatchObject({ index: INDEX, layer: 4 });
  });
});

test("while a reply is written the model is not asked; afterwards what is missing is read", async () => {
  const view = renderView(Trajectories, { ...timeline, status: "streaming" }, { index: INDEX });
  expect(await screen.findByText(/The model is busy with the reply/)).toBeInTheDocument();
  expect(server.asked).toEqual([]);
  view.show(timeline);
  await waitFor(() => expect(values().getAllByRole("rowheader")).toHaveLength(5));
  await read();
});

test("leaving the view aborts the reading", async () => {
  let isAborted = false;
  const answer = server.answer;
  server.answer = (request) =>
    hasTargets(request) ? new Promise<Response>(() => undefined) : answer(request);
  const stubbed = globalThis.fetch;
  vi.stubGlobal("fetch", (request: Request) => {
    if (request.url.endsWith("/api/lens")) {
      request.signal.addEventListener("abort", () => (isAborted = true));
    }
    return stubbed(request);
  });
  const view = renderView(Trajectories, timeline, { index: INDEX });
  await waitFor(() => expect(asked()).toHaveLength(1));
  view.unmount();
  await waitFor(() => expect(isAborted).toBe(true));
});
