import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { CELL_HEIGHT, DEFAULT_CELL_WIDTH, HEAD_HEIGHT, LABEL_WIDTH } from "@/charts/heatmap/geometry";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import { activeCell, allRead, grid, server, setUpHeatmap, timeline, tokens } from "@/test/heatmap";
import { N_LAYERS, madeUpLens } from "@/test/lensData";
import { refusal, renderView } from "@/test/renderView";
import Heatmap from "./Heatmap";

setUpHeatmap();

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
    expect(activeCell()).toHaveTextContent("top-1");
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
      `Layer 8, read at index 8 “·Paris”, predicts index 9 “,”: top-1 “,”, probability ${probability}; ` +
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
