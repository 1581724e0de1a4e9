import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import { choose } from "@/test/choose";
import { allRead, grid, server, setUpHeatmap, timeline, tokens } from "@/test/heatmap";
import { N_LAYERS, idOf, madeUpLens } from "@/test/lensData";
import { renderView } from "@/test/renderView";
import Heatmap from "./Heatmap";

setUpHeatmap();

describe("the table", () => {
  const table = () => within(screen.getByRole("region", { name: "Cells as a table" }));

  test("has every number of the range as the server gave it, at most some sixty rows a page", async () => {
    renderView(Heatmap, timeline, { index: 9, layer: 8 });
    await allRead();
    expect(screen.queryByRole("region", { name: "Cells as a table" })).not.toBeInTheDocument();
    screen.getByRole("grid").focus();
    await userEvent.keyboard("{Shift>}{ArrowRight>6/}{/Shift}");
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    await screen.findByRole("region", { name: "Cells as a table" });
    expect(table().getByText("Index 12 to 14, page 2 of 2")).toBeInTheDocument();
    await userEvent.click(table().getByRole("button", { name: "Previous page" }));
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
    await choose(screen.getByRole("combobox", { name: "outline" }), `·Paris (id ${idOf(" Paris")})`);
    await screen.findByText(/in \d+ of 390 cells/);
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    await screen.findByRole("region", { name: "Cells as a table" });
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
    await screen.findByRole("region", { name: "Cells as a table" });
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
    await screen.findByRole("region", { name: "Cells as a table" });
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
    await screen.findByRole("region", { name: "Cells as a table" });
    expect(table().getAllByText("not read yet")).toHaveLength(N_LAYERS + 1);
  });
});
