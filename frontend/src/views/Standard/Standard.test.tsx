import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, test, vi } from "vitest";
import { formatNats, formatProbability, formatRank, formatShortProbability } from "@/model/format";
import { N_LAYERS, madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { fakeServer, refusal, renderView } from "@/test/renderView";
import Standard from "./Standard";

const tokens = madeUpTokens(30);
const timeline = madeUpTimeline(tokens, "standard");
const INDEX = 9;

afterEach(() => vi.unstubAllGlobals());

const rowOf = (label: string) => {
  const row = screen.getByRole("button", { name: label }).closest("tr");
  if (row === null) throw new Error(`no row for ${label}`);
  return within(row);
};

describe("the four states", () => {
  test("empty: says what to click", () => {
    fakeServer(tokens);
    renderView(Standard, timeline, { index: null });
    expect(screen.getByText(/Select any token/)).toBeInTheDocument();
  });

  test("empty: without a conversation there is nothing to click yet", () => {
    fakeServer([]);
    renderView(Standard, { ...timeline, conversationId: null, tokens: [], status: "empty" }, { index: null });
    expect(screen.getByText(/Nothing to read yet/)).toBeInTheDocument();
  });

  test("loading: keeps the place of every layer and shows no number", async () => {
    const server = fakeServer(tokens);
    server.answer = () => new Promise<Response>(() => undefined);
    renderView(Standard, timeline, { index: INDEX });
    const table = await screen.findByRole("table", { busy: true });
    await waitFor(() => expect(within(table).getAllByRole("rowheader")).toHaveLength(N_LAYERS + 1));
    for (const cell of within(table).getAllByRole("cell")) expect(cell).toHaveTextContent(/^$/);
  });

  test("failed: says what and why, shows no number, and reads again on request", async () => {
    const server = fakeServer(tokens);
    const answer = server.answer;
    server.answer = () => refusal("out_of_memory", "Reading needs 170 MB; 64 MB are free.", 507);
    renderView(Standard, timeline, { index: INDEX });
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("Reading needs 170 MB; 64 MB are free.");
    expect(alert).toHaveTextContent("out_of_memory");
    expect(screen.queryByRole("table")).not.toBeInTheDocument();
    server.answer = answer;
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(await screen.findByRole("table", { busy: false })).toBeInTheDocument();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("cancelled: a reply that was stopped is asked for again until it is saved", async () => {
    const server = fakeServer(tokens);
    const answer = server.answer;
    let asked = 0;
    server.answer = (request) => {
      asked += 1;
      return asked === 1
        ? refusal("conversation_not_found", "There is no such conversation.", 404)
        : answer(request);
    };
    const stopped = timeline.turns.map((turn) => ({ ...turn, finish: "cancelled" as const }));
    renderView(Standard, { ...timeline, turns: stopped }, { index: INDEX });
    expect(await screen.findByRole("table", { busy: false })).toBeInTheDocument();
    expect(asked).toBe(2);
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("done: every number is the server's, from the output down to the embedding", async () => {
    const server = fakeServer(tokens);
    renderView(Standard, timeline, { index: INDEX });
    const table = await screen.findByRole("table", { busy: false });
    expect(
      within(table)
        .getAllByRole("rowheader")
        .map((head) => head.textContent),
    ).toEqual(["12", "11", "10", "9", "8", "7", "6", "5", "4", "3", "2", "1", "embed"]);
    expect(server.asked).toMatchObject([
      { conversation_id: "standard", positions: [INDEX - 1, INDEX + 1], top_k: 10 },
    ]);
    const lens = madeUpLens(tokens, { positions: [INDEX - 1, INDEX], top_k: 5 });
    for (const layer of [0, 5, N_LAYERS]) {
      const row = rowOf(layer === 0 ? "Layer 0 (embedding)" : `Layer ${layer}`);
      const chips = row.getAllByRole("listitem");
      expect(chips).toHaveLength(5);
      chips.forEach((chip, k) => {
        const probability = lens.top_probabilities[layer]?.[0]?.[k] ?? Number.NaN;
        expect(chip).toHaveTextContent(formatShortProbability(probability));
        expect(chip.title).toContain(`probability ${formatProbability(probability)} ·`);
      });
      const [, actual, entropy, kl] = row.getAllByRole("cell");
      expect(actual).toHaveTextContent(`#${formatRank(lens.next_rank[layer]?.[0] ?? null)}`);
      expect(actual).toHaveTextContent(formatProbability(lens.next_probability[layer]?.[0] ?? null));
      expect(entropy).toHaveTextContent(formatNats(lens.entropy_nats[layer]?.[0] ?? null));
      expect(kl).toHaveTextContent(formatNats(lens.kl_to_final_nats[layer]?.[0] ?? null));
    }
  });
});

describe("reading at, predicting", () => {
  test("names both places, and turns around on request", async () => {
    fakeServer(tokens);
    renderView(Standard, timeline, { index: INDEX });
    await screen.findByRole("table", { busy: false });
    const line = (text: string) => (_: string, element: Element | null) =>
      element?.tagName === "P" && element.textContent === text;
    expect(screen.getByText(line("read at index 8 “·Paris” → predicts index 9 “,”"))).toBeInTheDocument();
    await userEvent.click(screen.getByRole("radio", { name: "What it predicts" }));
    expect(screen.getByText(line("read at index 9 “,” → predicts index 10 “·which”"))).toBeInTheDocument();
    const lens = madeUpLens(tokens, { positions: [INDEX, INDEX + 1], top_k: 1 });
    expect(rowOf("Layer 12").getAllByRole("cell")[2]).toHaveTextContent(
      formatNats(lens.entropy_nats[N_LAYERS]?.[0] ?? null),
    );
  });

  test("of the last token, shows the prediction of what has not come yet", async () => {
    fakeServer(tokens);
    renderView(Standard, timeline, { index: tokens.length - 1 });
    await userEvent.click(await screen.findByRole("radio", { name: "What it predicts" }));
    await screen.findByRole("table", { busy: false });
    expect(screen.getByText(/nothing there yet/)).toBeInTheDocument();
    expect(rowOf("Layer 12").getAllByRole("cell")[1]).toHaveTextContent("–");
  });

  test("of the first token, says that nothing predicted it and offers the other direction", async () => {
    fakeServer(tokens);
    renderView(Standard, timeline, { index: 0 });
    expect(screen.getByText(/nothing came before it/)).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Show what it predicts" }));
    expect(await screen.findByRole("table", { busy: false })).toBeInTheDocument();
  });

  test("marks the actual token among the predictions, and scores it where it is not among them", async () => {
    fakeServer(tokens);
    renderView(Standard, timeline, { index: INDEX });
    await screen.findByRole("table", { busy: false });
    const marked = rowOf("Layer 12").getAllByText(/the actual token/);
    expect(marked).toHaveLength(1);
    expect(marked[0]?.closest("li")).toHaveTextContent(",");
    expect(rowOf("Layer 3").queryByText(/the actual token/)).not.toBeInTheDocument();
    const lens = madeUpLens(tokens, { positions: [INDEX - 1, INDEX], top_k: 1 });
    expect(lens.next_rank[3]?.[0]).toBeGreaterThan(5);
    expect(rowOf("Layer 3").getAllByRole("cell")[1]).toHaveTextContent(
      formatRank(lens.next_rank[3]?.[0] ?? null),
    );
    expect(screen.getByText(/is top-1 from/)).toHaveTextContent("from layer 8 up to the output");
    // What led before: each run of layers by its own favourite, as the server has it.
    const leaders = [1, 2, 3, 4, 5, 6, 7].map((layer) => lens.top_ids[layer]?.[0]?.[0]);
    const runs = leaders.filter((id, i) => id !== leaders[i - 1]);
    const before = screen.getByText(/is top-1 from/).textContent.split("Before it: ")[1] ?? "";
    expect(before.match(/ at layers? \d/g)).toHaveLength(Math.min(6, runs.length));
    expect(before).toContain(lens.vocabulary[`${leaders[6]}`]?.trim());
    // The nearest to the decision first: what a narrow panel cuts off is the furthest.
    expect(/ at layers? (?:\d+ to )?(\d+)/.exec(before)?.[1]).toBe("7");
  });

  test("explains the embedding row by shared embeddings only where they are shared", async () => {
    fakeServer(tokens, false);
    renderView(Standard, timeline, { index: INDEX });
    await screen.findByRole("table", { busy: false });
    expect(screen.getByText(/before the first block/)).not.toHaveTextContent(/shared/);
  });
});

describe("layers and top-k", () => {
  test("a row selects its layer and opens it in full", async () => {
    fakeServer(tokens);
    const view = renderView(Standard, timeline, { index: INDEX });
    await screen.findByRole("table", { busy: false });
    await userEvent.click(screen.getByRole("button", { name: "Layer 8" }));
    expect(view.selection()).toMatchObject({ index: INDEX, layer: 8 });
    expect(screen.getByRole("button", { name: "Layer 8" })).toHaveAttribute("aria-pressed", "true");
    const detail = await screen.findByRole("region", { name: "Selected layer" });
    expect(within(detail).getAllByRole("row")).toHaveLength(6);
    expect(within(detail).getByTitle("bytes 2C")).toHaveTextContent(",");
  });

  test("the details can be closed, stay closed at other layers, and opened again", async () => {
    fakeServer(tokens);
    renderView(Standard, timeline, { index: INDEX });
    await screen.findByRole("table", { busy: false });
    await userEvent.click(screen.getByRole("button", { name: "Layer 8" }));
    await userEvent.click(await screen.findByRole("button", { name: "Close the details" }));
    await userEvent.click(screen.getByRole("button", { name: "Layer 7" }));
    expect(screen.queryByRole("region", { name: "Selected layer" })).not.toBeInTheDocument();
    const toggle = screen.getByRole("button", { name: "Details" });
    expect(toggle).toHaveAttribute("aria-pressed", "false");
    await userEvent.click(toggle);
    expect(await screen.findByRole("region", { name: "Selected layer" })).toHaveTextContent("Layer 7");
  });

  test("a prediction of the opened layer can be pinned, and let go again", async () => {
    fakeServer(tokens);
    const view = renderView(Standard, timeline, { index: INDEX });
    await screen.findByRole("table", { busy: false });
    await userEvent.click(screen.getByRole("button", { name: "Layer 12" }));
    const pin = within(await screen.findByRole("region", { name: "Selected layer" })).getByRole("button", {
      name: "Pin ,",
    });
    await userEvent.click(pin);
    expect(pin).toHaveAttribute("aria-pressed", "true");
    expect(view.pins().pins).toMatchObject([{ tokens: [{ id: tokens[INDEX]?.id, text: "," }] }]);
    await userEvent.click(pin);
    expect(view.pins().pins).toEqual([]);
  });

  test("fewer predictions need no request, more than were read need one", async () => {
    const server = fakeServer(tokens);
    renderView(Standard, timeline, { index: INDEX });
    await screen.findByRole("table", { busy: false });
    const input = screen.getByRole("spinbutton", { name: "top-k" });
    await userEvent.clear(input);
    await userEvent.type(input, "2");
    expect(rowOf("Layer 12").getAllByRole("listitem")).toHaveLength(2);
    expect(server.asked).toHaveLength(1);
    await userEvent.type(input, "0");
    await waitFor(() => expect(rowOf("Layer 12").getAllByRole("listitem")).toHaveLength(20));
    expect(server.asked.map((request) => request.top_k)).toEqual([10, 25]);
  });

  test("a number out of range is marked and changes nothing", async () => {
    fakeServer(tokens);
    renderView(Standard, timeline, { index: INDEX });
    await screen.findByRole("table", { busy: false });
    const input = screen.getByRole("spinbutton", { name: "top-k" });
    await userEvent.clear(input);
    await userEvent.type(input, "0");
    expect(input).toBeInvalid();
    expect(rowOf("Layer 12").getAllByRole("listitem")).toHaveLength(5);
  });
});

describe("while a reply is written", () => {
  const lens = Array.from({ length: N_LAYERS + 1 }, (_, layer) => ({
    layer,
    label: layer === 0 ? "embed" : String(layer),
    predictions: [{ token_id: 1009, text: ",", probability: 0.75, rank: 1 }],
    entropy_nats: 0.5,
    kl_to_final_nats: 0,
    actual: { probability: 0.75, rank: 1 },
  }));
  const streaming = {
    ...timeline,
    status: "streaming" as const,
    tokens: tokens.map((token) => (token.index === INDEX ? { ...token, lens } : token)),
  };

  test("read-outs that came with the token are shown and the busy model is not asked", async () => {
    const server = fakeServer(tokens);
    renderView(Standard, streaming, { index: INDEX });
    expect(await screen.findByRole("table", { busy: false })).toBeInTheDocument();
    expect(rowOf("Layer 12").getByRole("listitem")).toHaveTextContent("0.750");
    expect(server.asked).toEqual([]);
  });

  test("for other tokens it says when they will be read, and reads them then", async () => {
    const server = fakeServer(tokens);
    const view = renderView(Standard, streaming, { index: 4 });
    expect(screen.getByText(/The model is busy with the reply/)).toBeInTheDocument();
    expect(server.asked).toEqual([]);
    view.show({ ...streaming, status: "settled" });
    expect(await screen.findByRole("table", { busy: false })).toBeInTheDocument();
  });
});
