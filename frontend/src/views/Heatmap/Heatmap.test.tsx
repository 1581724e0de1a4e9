import { act, fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CELL_HEIGHT, DEFAULT_CELL_WIDTH, HEAD_HEIGHT, LABEL_WIDTH } from "@/components/heatmap/geometry";
import { formatNats, formatProbability, formatRank } from "@/lib/format";
import { N_LAYERS, idOf, madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { matchMedia } from "@/test/media";
import { type FakeServer, fakeServer, refusal, renderView } from "@/test/renderView";
import Heatmap from "./Heatmap";

const tokens = madeUpTokens(30);
let server: FakeServer;
let timeline: ReturnType<typeof madeUpTimeline>;
let serial = 0;

beforeEach(() => {
  server = fakeServer(tokens);
  // What was read of a conversation is kept, so each test has one of its own.
  serial += 1;
  timeline = madeUpTimeline(tokens, `heatmap-${serial}`);
});
afterEach(() => vi.unstubAllGlobals());

const grid = () => screen.findByRole("grid");
const allRead = () => screen.findByText("30 of 30 positions read");
const activeCell = () => within(screen.getByRole("grid")).getByRole("gridcell");

/** A click in the middle of a cell; nothing is scrolled, since nothing is laid out. */
function clickCell(position: number, layer: number): void {
  fireEvent.click(screen.getByRole("grid"), {
    clientX: LABEL_WIDTH + (position + 0.5) * DEFAULT_CELL_WIDTH,
    clientY: HEAD_HEIGHT + (N_LAYERS - layer + 0.5) * CELL_HEIGHT,
  });
}

describe("the four states", () => {
  test("empty: says what will be here", () => {
    renderView(Heatmap, { ...timeline, conversationId: null, tokens: [], status: "empty" }, { index: null });
    expect(screen.getByText(/Nothing to read yet/)).toBeInTheDocument();
    expect(screen.queryByRole("grid")).not.toBeInTheDocument();
  });

  test("loading: shows how far it is, and no number", async () => {
    server.answer = () => new Promise<Response>(() => undefined);
    renderView(Heatmap, timeline, { index: 5 });
    expect(await screen.findByRole("progressbar", { name: "Positions read" })).toHaveValue(0);
    expect(activeCell()).toHaveTextContent("not read yet");
    expect(screen.getByRole("region", { name: "Cell" })).toHaveTextContent("Not read yet.");
  });

  test("failed: keeps what was read, says why, and goes on on request", async () => {
    const answer = server.answer;
    server.answer = (request) =>
      server.asked.length > 1 ? refusal("out_of_memory", "Not enough memory.", 507) : answer(request);
    renderView(Heatmap, timeline, { index: 29 });
    expect(await screen.findByRole("alert")).toHaveTextContent("Not enough memory.");
    expect(screen.getByText(/^\d+ of 30 positions read; hatched/)).toBeInTheDocument();
    expect(activeCell()).toHaveTextContent("first choice");
    server.answer = answer;
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(await allRead()).toBeInTheDocument();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("done: says every number of the active cell as the server gave it", async () => {
    renderView(Heatmap, timeline, { index: 9, layer: 8 });
    await allRead();
    const lens = madeUpLens(tokens, { positions: [8, 9], top_k: 5 });
    const probability = formatProbability(lens.top_probabilities[8]?.[0]?.[0] ?? null);
    const rank = formatRank(lens.next_rank[8]?.[0] ?? null);
    const entropy = formatNats(lens.entropy_nats[8]?.[0] ?? null);
    const kl = formatNats(lens.kl_to_final_nats[8]?.[0] ?? null);
    expect(activeCell()).toHaveTextContent(
      `Layer 8, read at index 8 “·Paris”, predicts index 9 “,”: first choice “,”, probability ${probability}; ` +
        `actual next token rank ${rank}, probability ${probability}; entropy ${entropy} nats; KL to final ${kl} nats`,
    );
    const card = within(screen.getByRole("region", { name: "Cell" }));
    expect(card.getAllByRole("listitem")[0]).toHaveTextContent(probability);
    expect(card.getByText(entropy)).toBeInTheDocument();
    expect(card.getByText(kl)).toBeInTheDocument();
  });
});

describe("moving about", () => {
  test("the grid says its size and is one tab stop", async () => {
    renderView(Heatmap, timeline, { index: 9 });
    const table = await grid();
    expect(table).toHaveAttribute("aria-rowcount", String(N_LAYERS + 1));
    expect(table).toHaveAttribute("aria-colcount", "30");
    expect(table).toHaveAttribute("tabindex", "0");
    expect(table).toHaveAttribute("aria-activedescendant", activeCell().id);
  });

  test("keys move the active cell, Enter selects the token that it predicts", async () => {
    const view = renderView(Heatmap, timeline, { index: 9, layer: 8 });
    await allRead();
    screen.getByRole("grid").focus();
    await userEvent.keyboard("{ArrowRight}{ArrowRight}{ArrowUp}");
    expect(activeCell()).toHaveTextContent(/^Layer 9, read at index 10/);
    expect(activeCell()).toHaveAttribute("aria-colindex", "11");
    expect(view.selection()).toMatchObject({ index: 9, layer: 8 });
    await userEvent.keyboard("{Enter}");
    expect(view.selection()).toMatchObject({ index: 11, layer: 9 });
    await userEvent.keyboard("{Control>}{Home}{/Control}");
    expect(activeCell()).toHaveTextContent(/^Layer 12, read at index 0/);
  });

  test("a click selects the token that the column predicts, with the layer", async () => {
    const view = renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    clickCell(4, 7);
    expect(view.selection()).toMatchObject({ index: 5, layer: 7 });
    expect(activeCell()).toHaveTextContent(/^Layer 7, read at index 4 “·France”, predicts index 5 “·is”/);
  });

  test("a click on the last column selects nothing, since nothing follows, but shows the cell", async () => {
    const view = renderView(Heatmap, timeline, { index: 9, layer: 3 });
    await allRead();
    clickCell(29, 7);
    expect(view.selection()).toMatchObject({ index: 9, layer: 3 });
    expect(activeCell()).toHaveTextContent(/^Layer 7, read at index 29.*nothing follows yet/);
    expect(screen.getByText("none yet")).toBeInTheDocument();
  });

  test("a click on a head keeps the layer, one on a label keeps the token", async () => {
    const view = renderView(Heatmap, timeline, { index: 9, layer: 3 });
    await allRead();
    fireEvent.click(screen.getByRole("grid"), { clientX: LABEL_WIDTH + 10, clientY: 10 });
    expect(view.selection()).toMatchObject({ index: 1, layer: 3 });
    fireEvent.click(screen.getByRole("grid"), { clientX: 10, clientY: HEAD_HEIGHT + 5 });
    expect(view.selection()).toMatchObject({ index: 1, layer: 12 });
  });

  test("the pointer shows a cell in the card and leaves the selection alone", async () => {
    const view = renderView(Heatmap, timeline, { index: 9, layer: 3 });
    await allRead();
    const at = { clientX: LABEL_WIDTH + 10, clientY: HEAD_HEIGHT + 5 };
    fireEvent.mouseMove(screen.getByRole("grid"), at);
    expect(screen.getByRole("region", { name: "Cell" })).toHaveTextContent("Layer 12 read at index 0");
    fireEvent.mouseLeave(screen.getByRole("grid"));
    expect(screen.getByRole("region", { name: "Cell" })).toHaveTextContent("Layer 3 read at index 8");
    expect(view.selection()).toMatchObject({ index: 9, layer: 3 });
  });
});

test("a prediction of the cell in the card can be pinned, by keyboard too", async () => {
  const view = renderView(Heatmap, timeline, { index: 9, layer: 8 });
  await allRead();
  const card = within(screen.getByRole("region", { name: "Cell" }));
  card.getByRole("button", { name: "Pin ," }).focus();
  await userEvent.keyboard("{Enter}");
  expect(view.pins().pins).toMatchObject([{ tokens: [{ id: tokens[9]?.id, text: "," }] }]);
});

describe("colour", () => {
  test("each metric has a legend with its unit, in the ramp that was chosen", async () => {
    renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    const metric = screen.getByRole("combobox", { name: "coloured by" });
    for (const [title, unit, end] of [
      ["Top-1 probability", "probability, 0 to 1", "1"],
      ["Rank of the actual next token", "rank, log scale; 1 is the first choice", "50,257"],
      ["Entropy", "nats; 0 is certain", "10.8"],
      ["KL to final", "nats, KL(final ‖ layer); 0 is the output itself", "20"],
    ] as const) {
      await userEvent.selectOptions(metric, title);
      const legend = screen.getByRole("figure", { name: `Colour scale: ${title}` });
      expect(legend).toHaveTextContent(unit);
      expect(within(legend).getByText(end)).toBeInTheDocument();
    }
    expect(server.asked.length).toBeLessThan(5);
  });

  test("the first token and the embedding set the scale only when asked to, and are marked as clipped until then", async () => {
    const lens = madeUpLens(tokens, {});
    const layer = lens.kl_to_final_nats.findIndex((row) => (row[0] ?? 0) > 20);
    renderView(Heatmap, timeline, { index: 1, layer });
    await allRead();
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "coloured by" }), "KL to final");
    const legend = within(screen.getByRole("figure"));
    expect(legend.getByText("20")).toBeInTheDocument();
    const beyond = lens.kl_to_final_nats.flat().filter((kl) => kl > 20).length;
    expect(beyond).toBeGreaterThan(1);
    expect(screen.getByRole("figure")).toHaveTextContent(
      `beyond the scale: ${beyond} cells; the card has the number`,
    );
    const card = screen.getByRole("region", { name: "Cell" });
    expect(card).toHaveTextContent("beyond the colour scale");
    expect(within(card).getByText(formatNats(lens.kl_to_final_nats[layer]?.[0] ?? null))).toBeInTheDocument();
    expect(activeCell()).toHaveTextContent(/; beyond the colour scale$/);

    await userEvent.click(screen.getByRole("switch", { name: /first token/ }));
    expect(legend.queryByText("20")).not.toBeInTheDocument();
    expect(legend.getByText("50")).toBeInTheDocument();
    expect(legend.queryByText(/beyond the scale/)).not.toBeInTheDocument();
    expect(card).not.toHaveTextContent("beyond the colour scale");
  });

  test("a metric with a sign is centred on zero, in a ramp whose hue is the sign", async () => {
    renderView(Heatmap, timeline, { index: 9, layer: 8 });
    await allRead();
    const metric = screen.getByRole("combobox", { name: "coloured by" });
    const second = screen.getByRole("combobox", { name: "second hue" });
    await userEvent.selectOptions(second, "the output’s choice");
    await userEvent.selectOptions(metric, "Change of the actual next token");
    const legend = screen.getByRole("figure", { name: /Change of the actual next token/ });
    const labels = Array.from(legend.querySelectorAll(".font-mono span"), (each) => each.textContent);
    expect(labels).toHaveLength(3);
    expect(labels[0]).toMatch(/^−[125]0*$/);
    expect(labels[1]).toBe("0");
    expect(labels[2]).toBe(labels[0]?.replace("−", "+"));
    expect(second).toBeDisabled();
    expect(legend).not.toHaveTextContent("first choice");

    const lens = madeUpLens(tokens, { positions: [8, 9] });
    const [below = 0, here = 0] = [7, 8].map((layer) => lens.next_probability[layer]?.[0] ?? 0);
    const change = Math.log(here) - Math.log(below);
    expect(screen.getByRole("region", { name: "Cell" })).toHaveTextContent(
      `change by this block, nats${change > 0 ? "+" : ""}${formatNats(change)}`,
    );

    await userEvent.click(screen.getByRole("button", { name: "Look" }));
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "ramp" }), "cividis");
    await userEvent.keyboard("{Escape}");
    expect(second).toBeEnabled();
    expect(legend).toHaveTextContent("the first choice is already the output’s");
  });

  test("narrow cells lose their text, and it says so", async () => {
    renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    expect(screen.queryByText(/show colour only/)).not.toBeInTheDocument();
    for (let press = 0; press < 5; press += 1) {
      await userEvent.click(screen.getByRole("button", { name: "Narrower cells" }));
    }
    expect(screen.getByText(/show colour only/)).toBeInTheDocument();
  });
});

test("while a reply is written the model is not asked; afterwards what is missing is read", async () => {
  const view = renderView(Heatmap, { ...timeline, status: "streaming" }, { index: 9 });
  expect(await screen.findByText(/0 of 30 positions read; the others follow/)).toBeInTheDocument();
  expect(server.asked).toEqual([]);
  view.show(timeline);
  expect(await allRead()).toBeInTheDocument();
});

test("leaving the view stops the reading", async () => {
  let release: () => void = () => undefined;
  server.answer = (request) =>
    new Promise((resolve) => {
      release = () => resolve(Response.json(madeUpLens(tokens, request)));
    });
  const view = renderView(Heatmap, timeline, { index: 9 });
  await waitFor(() => expect(server.asked).toHaveLength(1));
  view.unmount();
  release();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(server.asked).toHaveLength(1);
});

describe("the second hue", () => {
  test("is off at first, says in the legend and of each cell what it singles out, and is remembered", async () => {
    const lens = madeUpLens(tokens, {});
    const position = 8;
    const [output] = lens.top_ids[N_LAYERS]?.[position] ?? [];
    const [agreeing, other] = [true, false].map((isSame) =>
      lens.top_ids.findIndex((row) => (row[position]?.[0] === output) === isSame),
    );
    const view = renderView(Heatmap, timeline, { index: position + 1, layer: agreeing ?? null });
    await allRead();
    expect(screen.getByRole("figure")).not.toHaveTextContent("first choice");
    expect(activeCell()).not.toHaveTextContent("the output’s choice");
    await userEvent.selectOptions(
      screen.getByRole("combobox", { name: "second hue" }),
      "the output’s choice",
    );
    expect(screen.getByRole("figure")).toHaveTextContent("the first choice is already the output’s");
    expect(activeCell()).toHaveTextContent("; the output’s choice");
    act(() => view.selection().select(position + 1, other));
    expect(activeCell()).toHaveTextContent(`Layer ${other === 0 ? "embed" : String(other)},`);
    expect(activeCell()).not.toHaveTextContent("the output’s choice");
    view.unmount();

    renderView(Heatmap, timeline, { index: 9 });
    expect(await screen.findByRole("combobox", { name: "second hue" })).toHaveValue("output");
  });
});

test("every second layer halves the rows, keeps the embedding and the output, and asks for nothing", async () => {
  renderView(Heatmap, timeline, { index: 9, layer: 12 });
  await allRead();
  const asked = server.asked.length;
  await userEvent.click(screen.getByRole("button", { name: "Look" }));
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "layers" }), "every fourth layer");
  await userEvent.keyboard("{Escape}");
  expect(screen.getByRole("grid")).toHaveAttribute("aria-rowcount", "4");
  screen.getByRole("grid").focus();
  for (const layer of ["8", "4", "embed", "embed"]) {
    await userEvent.keyboard("{ArrowDown}");
    expect(activeCell()).toHaveTextContent(new RegExp(`^Layer ${layer}, read at index 8`));
  }
  expect(server.asked).toHaveLength(asked);
});

test("on a narrow screen what the cells are coloured by is chosen in Look, and the legend names it", async () => {
  matchMedia((query) => query.includes("width"));
  renderView(Heatmap, timeline, { index: 9 });
  await allRead();
  expect(screen.queryByRole("combobox")).not.toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Look" }));
  for (const name of ["second hue", "outline", "ramp", "layers"])
    expect(screen.getByRole("combobox", { name })).toBeInTheDocument();
  await userEvent.selectOptions(screen.getByRole("combobox", { name: "coloured by" }), "KL to final");
  expect(screen.getByRole("switch", { name: /set the scale/ })).not.toBeChecked();
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("combobox")).not.toBeInTheDocument();
  expect(screen.getByRole("figure")).toHaveTextContent("KL to final: nats, KL(final ‖ layer)");
});

describe("a range", () => {
  const range = () => screen.queryByRole("group", { name: "Range" });

  test("is chosen by Shift and the arrows, either way, and cleared by Escape", async () => {
    renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    screen.getByRole("grid").focus();
    await userEvent.keyboard("{Shift>}{ArrowRight}{ArrowRight}{/Shift}");
    expect(range()).toHaveTextContent("Index 8 to 10, 3 positions");
    await userEvent.keyboard("{Shift>}{ArrowLeft}{ArrowLeft}{ArrowLeft}{/Shift}");
    expect(range()).toHaveTextContent("Index 7 to 8, 2 positions");
    await userEvent.keyboard("{ArrowRight}");
    expect(range()).toHaveTextContent("Index 7 to 8");
    await userEvent.keyboard("{Escape}");
    expect(range()).not.toBeInTheDocument();
  });

  test("is chosen by dragging over columns, which selects no token", async () => {
    const view = renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    const table = screen.getByRole("grid");
    const at = (position: number) => ({
      clientX: LABEL_WIDTH + (position + 0.5) * DEFAULT_CELL_WIDTH,
      clientY: HEAD_HEIGHT + 5,
      button: 0,
    });
    vi.spyOn(table, "getBoundingClientRect").mockReturnValue(new DOMRect(0, 0, 2000, 400));
    fireEvent.mouseDown(table, at(12));
    fireEvent.mouseMove(window, at(12));
    expect(range()).not.toBeInTheDocument();
    fireEvent.mouseMove(window, at(4));
    fireEvent.mouseUp(window, at(4));
    fireEvent.click(table, at(4));
    expect(range()).toHaveTextContent("Index 4 to 12, 9 positions");
    expect(view.selection()).toMatchObject({ index: 9 });
    fireEvent.mouseMove(window, at(20));
    expect(range()).toHaveTextContent("Index 4 to 12");

    fireEvent.click(table, { ...at(2), shiftKey: true });
    expect(range()).toHaveTextContent("Index 2 to 12");
    fireEvent.mouseDown(table, at(6));
    fireEvent.mouseUp(window, at(6));
    fireEvent.click(table, at(6));
    expect(view.selection()).toMatchObject({ index: 7 });
    await userEvent.click(screen.getByRole("button", { name: "Clear" }));
    expect(range()).not.toBeInTheDocument();
  });
});

describe("the outline of a pinned token", () => {
  const paris = { id: idOf(" Paris"), text: " Paris" };
  const outline = () => screen.getByRole("combobox", { name: "outline" });
  const targeted = () => server.asked.filter((request) => (request.targets ?? []).length > 0);

  async function pinned() {
    const view = renderView(Heatmap, timeline, { index: 9, layer: 8 });
    await allRead();
    act(() => view.pins().pin([paris]));
    return view;
  }

  test("empty: without a pin there is nothing to outline, and it says how to pin", async () => {
    renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    expect(outline()).toBeDisabled();
    expect(outline()).toHaveTextContent("no token is pinned");
    expect(outline().closest("label")).toHaveAttribute("title", expect.stringMatching(/Pin a token/));
  });

  test("done: counts the cells by the server's ranks, and shows rank and probability of each", async () => {
    await pinned();
    expect(targeted()).toEqual([]);
    await userEvent.selectOptions(outline(), `·Paris (id ${paris.id})`);
    const ranks = madeUpLens(tokens, { targets: [paris.id] }).targets[0];
    const within5 = ranks?.rank.flat().filter((rank) => rank <= 5).length;
    const total = 30 * (N_LAYERS + 1);
    expect(
      await screen.findByText(new RegExp(`has rank 1 to 5 in ${String(within5)} of ${total} cells`)),
    ).toBeInTheDocument();
    const [rank, probability] = [
      formatRank(ranks?.rank[8]?.[8] ?? null),
      formatProbability(ranks?.probability[8]?.[8] ?? null),
    ];
    expect(activeCell()).toHaveTextContent(
      `outlined token “·Paris” rank ${rank}, probability ${probability}`,
    );
    expect(screen.getByRole("region", { name: "Cell" })).toHaveTextContent(`·Paris: rank${rank}`);
    expect(screen.getByRole("region", { name: "Cell" })).toHaveTextContent(
      `·Paris: probability${probability}`,
    );

    const asked = server.asked.length;
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "at rank" }), "1 to 100");
    const within100 = ranks?.rank.flat().filter((each) => each <= 100).length ?? 0;
    expect(within100).toBeGreaterThan(within5 ?? 0);
    expect(
      screen.getByText(new RegExp(`has rank 1 to 100 in ${within100} of ${total} cells`)),
    ).toBeInTheDocument();
    expect(server.asked).toHaveLength(asked);
  });

  test("loading: says how far it is, and no number of a cell", async () => {
    await pinned();
    server.answer = () => new Promise<Response>(() => undefined);
    await userEvent.selectOptions(outline(), `·Paris (id ${paris.id})`);
    expect(screen.getByText(/in 0 of 0 cells/)).toBeInTheDocument();
    expect(screen.getByText("0 of 30 positions read for it…")).toBeInTheDocument();
    expect(screen.getByRole("region", { name: "Cell" })).toHaveTextContent("·Paris: rank–");
  });

  test("failed: says why, keeps the grid, and goes on on request", async () => {
    await pinned();
    const answer = server.answer;
    server.answer = () => refusal("out_of_memory", "Not enough memory.", 507);
    await userEvent.selectOptions(outline(), `·Paris (id ${paris.id})`);
    expect(await screen.findByRole("alert")).toHaveTextContent("Not enough memory.");
    expect(screen.getByText(/^30 of 30 positions read/)).toBeInTheDocument();
    server.answer = answer;
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(await screen.findByText(/has rank 1 to 5 in \d+ of 390 cells/)).toBeInTheDocument();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("cancelled: choosing nothing stops the reading", async () => {
    await pinned();
    let release: () => void = () => undefined;
    server.answer = (request) =>
      new Promise((resolve) => {
        release = () => resolve(Response.json(madeUpLens(tokens, request)));
      });
    await userEvent.selectOptions(outline(), `·Paris (id ${paris.id})`);
    await waitFor(() => expect(targeted()).toHaveLength(1));
    await userEvent.selectOptions(outline(), "nothing");
    release();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(targeted()).toHaveLength(1);
    expect(screen.queryByText(/^Outlined/)).not.toBeInTheDocument();
  });

  test("deferred: while a reply is written the model is not asked", async () => {
    const view = await pinned();
    view.show({ ...timeline, status: "streaming" });
    await userEvent.selectOptions(outline(), `·Paris (id ${paris.id})`);
    expect(
      screen.getByText(/positions read for it; the others follow when the reply has ended/),
    ).toBeInTheDocument();
    expect(targeted()).toEqual([]);
    view.show(timeline);
    expect(await screen.findByText(/in \d+ of 390 cells/)).toBeInTheDocument();
  });

  test("a token that was outlined the last time is not read while it is not pinned", async () => {
    window.localStorage.setItem("view-heatmap", JSON.stringify({ outlinedToken: String(paris.id) }));
    const view = renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    expect(targeted()).toEqual([]);
    act(() => view.pins().pin([paris]));
    expect(await screen.findByText(/in \d+ of 390 cells/)).toBeInTheDocument();
  });

  test("a token that came from a link has its text as soon as an answer has told it, and keeps it", async () => {
    const option = (name: string) => within(outline()).queryByRole("option", { name });
    // Not among the first choices of any layer, so that only its own ranks tell its text.
    const { answer } = server;
    const seine = { id: idOf(" Seine"), text: null };
    server.answer = async (request) => {
      const told = (await (await answer(request)).json()) as ReturnType<typeof madeUpLens>;
      const vocabulary = Object.fromEntries(
        Object.entries(told.vocabulary).filter(([id]) => Number(id) !== seine.id),
      );
      return Response.json({ ...told, vocabulary });
    };
    const view = renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    act(() => view.pins().pin([{ ...paris, text: null }, seine]));
    expect(option(`·Paris (id ${paris.id})`)).toBeInTheDocument();
    expect(option(`·Seine (id ${seine.id})`)).not.toBeInTheDocument();
    await userEvent.selectOptions(outline(), String(seine.id));
    expect(await screen.findByText(/in \d+ of 390 cells/)).toBeInTheDocument();
    await userEvent.selectOptions(outline(), "nothing");
    expect(option(`·Seine (id ${seine.id})`)).toBeInTheDocument();
  });

  test("ends when the token is unpinned", async () => {
    const view = await pinned();
    await userEvent.selectOptions(outline(), `·Paris (id ${paris.id})`);
    expect(await screen.findByText(/in \d+ of 390 cells/)).toBeInTheDocument();
    act(() => view.pins().unpin(paris.id));
    expect(screen.queryByText(/^Outlined/)).not.toBeInTheDocument();
    expect(outline()).toBeDisabled();
  });
});

describe("the table", () => {
  const table = () => within(screen.getByRole("region", { name: "Cells as a table" }));

  test("has every number of the range as the server gave it, at most some sixty rows a page", async () => {
    renderView(Heatmap, timeline, { index: 9, layer: 8 });
    await allRead();
    expect(screen.queryByRole("region", { name: "Cells as a table" })).not.toBeInTheDocument();
    screen.getByRole("grid").focus();
    await userEvent.keyboard("{Shift>}{ArrowRight>6/}{/Shift}");
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    expect(table().getByText("Index 12 to 14, page 2 of 2")).toBeInTheDocument();
    await userEvent.click(table().getByRole("button", { name: "Page before" }));
    expect(table().getByText("Index 8 to 11, page 1 of 2")).toBeInTheDocument();

    const lens = madeUpLens(tokens, { positions: [8, 12] });
    const rows = table().getAllByRole("row").slice(1);
    expect(rows).toHaveLength(4 * (N_LAYERS + 1));
    for (const [i, row] of rows.entries()) {
      const column = Math.floor(i / (N_LAYERS + 1));
      const layer = N_LAYERS - (i % (N_LAYERS + 1));
      const cells = within(row).getAllByRole("cell");
      expect(cells.slice(1).map((cell) => cell.textContent)).toEqual([
        formatProbability(lens.top_probabilities[layer]?.[column]?.[0] ?? null),
        formatRank(lens.next_rank[layer]?.[column] ?? null),
        formatProbability(lens.next_probability[layer]?.[column] ?? null),
        formatNats(lens.entropy_nats[layer]?.[column] ?? null),
        formatNats(lens.kl_to_final_nats[layer]?.[column] ?? null),
      ]);
    }
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    expect(screen.queryByRole("region", { name: "Cells as a table" })).not.toBeInTheDocument();
  });

  test("marks the cell of the keyboard, and has the ranks of the outlined token", async () => {
    const view = renderView(Heatmap, timeline, { index: 1, layer: 8 });
    await allRead();
    act(() => view.pins().pin([{ id: idOf(" Paris"), text: " Paris" }]));
    await userEvent.selectOptions(
      screen.getByRole("combobox", { name: "outline" }),
      `·Paris (id ${idOf(" Paris")})`,
    );
    await screen.findByText(/in \d+ of 390 cells/);
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    const current = table().getByRole("row", { current: true });
    expect(within(current).getByRole("rowheader", { name: "8" })).toBeInTheDocument();
    const ranks = madeUpLens(tokens, { targets: [idOf(" Paris")] }).targets[0];
    expect(
      within(current)
        .getAllByRole("cell")
        .slice(-2)
        .map((cell) => cell.textContent),
    ).toEqual([
      formatRank(ranks?.rank[8]?.[0] ?? null),
      formatProbability(ranks?.probability[8]?.[0] ?? null),
    ]);
  });

  test("a row moves the selection as its cell does, by mouse and by keyboard", async () => {
    const view = renderView(Heatmap, timeline, { index: 9, layer: 8 });
    await allRead();
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    const rowOf = (label: string) => table().getByText(label, { selector: "button" });
    await userEvent.click(rowOf("5").closest("tr")?.lastElementChild ?? document.body);
    expect(view.selection()).toMatchObject({ index: 1, layer: 5 });
    expect(rowOf("5").closest("tr")).toHaveAttribute("aria-current", "true");
    rowOf("5").focus();
    await userEvent.keyboard("{ArrowUp} ");
    expect(view.selection()).toMatchObject({ index: 1, layer: 6 });
    // A single row is reached by Tab.
    expect(
      table()
        .getAllByRole("button")
        .filter((each) => each.tabIndex === 0),
    ).toHaveLength(1);
  });

  test("is not taken for a range that Escape has given up", async () => {
    const view = renderView(Heatmap, timeline, { index: 9, layer: 8 });
    await allRead();
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    await userEvent.click(screen.getByRole("button", { name: "Select a range" }));
    expect(screen.getByText("Press the first column of the range")).toBeInTheDocument();
    screen.getByRole("grid").focus();
    await userEvent.keyboard("{Escape}");
    expect(screen.queryByText("Press the first column of the range")).toBeNull();
    await userEvent.click(table().getByText("5", { selector: "button" }));
    expect(view.selection()).toMatchObject({ index: 1, layer: 5 });
  });

  test("says of a cell that is not read that it is not", async () => {
    server.answer = () => new Promise<Response>(() => undefined);
    renderView(Heatmap, timeline, { index: 9 });
    await grid();
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    expect(table().getAllByText("not read yet")).toHaveLength(N_LAYERS + 1);
  });
});
