import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test, vi } from "vitest";
import CellTable from "@/charts/heatmap/CellTable";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import { cellTextOfText } from "@/model/tokens";
import { choose } from "@/test/choose";
import { alignment, changed, comparePrompt, isRead, server, setUpCompare, tokens } from "@/test/compare";
import { N_LAYERS, idOf, madeUpComparison } from "@/test/lensData";
import { differenceOf } from "./differences";
import { PairColumns } from "./pairColumns";
import { pairTable } from "./pairTable";

setUpCompare();

describe("the table", () => {
  const table = () => screen.getByRole("region", { name: "Table of cells" });
  const textsOf = (row: HTMLElement | undefined): (string | null)[] =>
    row === undefined
      ? []
      : within(row)
          .getAllByRole("cell")
          .map((each) => each.textContent);

  test("has both tokens of each column with their ids, and every number of the pair as the server gave it", async () => {
    await comparePrompt();
    await isRead();
    expect(screen.queryByRole("region", { name: "Table of cells" })).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    // Nothing is laid out here, so the table has the column in which the grid begins.
    expect(await screen.findByText("Column 0 to 0")).toBeVisible();
    const answer = madeUpComparison({ a: {}, b: {}, positions: [[0, 0]] });
    const rows = within(table()).getAllByRole("row").slice(1);
    expect(rows).toHaveLength(N_LAYERS + 1);
    expect(rows[0]).toHaveTextContent(
      new RegExp(`^A 0 User: id ${idOf("User:")}B 0 User: id ${idOf("User:")}`),
    );
    for (const [i, row] of rows.entries()) {
      const at = N_LAYERS - i;
      expect(textsOf(row)).toEqual([
        `${cellTextOfText(answer.vocabulary[answer.a_top_id[at]?.[0] ?? 0] ?? "")} ${answer.a_top_id[at]?.[0] ?? ""}`,
        formatProbability(answer.a_top_probability[at]?.[0] ?? null),
        `${cellTextOfText(answer.vocabulary[answer.b_top_id[at]?.[0] ?? 0] ?? "")} ${answer.b_top_id[at]?.[0] ?? ""}`,
        formatProbability(answer.b_top_probability[at]?.[0] ?? null),
        formatNats(answer.js_nats[at]?.[0] ?? null),
        formatNats(answer.kl_a_to_b_nats[at]?.[0] ?? null),
        formatNats(answer.kl_b_to_a_nats[at]?.[0] ?? null),
      ]);
    }
  });

  test("has the chosen token on both sides, and its difference", async () => {
    await comparePrompt();
    await isRead();
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    await choose(screen.getByRole("combobox", { name: "difference" }), "target");
    const id = idOf(" Paris");
    await choose(screen.getByRole("combobox", { name: "token" }), String(id));
    await within(table()).findByRole("columnheader", { name: `·Paris (id ${id}) in A: probability` });
    const target = madeUpComparison({ a: {}, b: {}, positions: [[0, 0]], targets: [id] }).targets[0];
    const output = (rows: number[][] | undefined): number => rows?.at(-1)?.[0] ?? Number.NaN;
    const [a, b] = [output(target?.a_probability), output(target?.b_probability)];
    await waitFor(() =>
      expect(textsOf(within(table()).getAllByRole("row")[1]).slice(-5)).toEqual([
        formatProbability(a),
        formatRank(output(target?.a_rank)),
        formatProbability(b),
        formatRank(output(target?.b_rank)),
        differenceOf("target").format(b - a),
      ]),
    );
  });

  test("a row moves the selection as a cell does, by mouse and by keyboard", async () => {
    const page = await comparePrompt();
    await isRead();
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    await userEvent.click(
      within(table()).getAllByText("9")[0]?.closest("tr")?.lastElementChild ?? document.body,
    );
    expect(page.selection()).toMatchObject({ index: 1, layer: 9 });
    expect(within(table()).getByRole("row", { current: true })).toHaveTextContent(/^9/);
    // One row is in the order of Tab; the arrows go on from there.
    table().focus();
    await userEvent.tab();
    expect(document.activeElement).toHaveTextContent(/^9$/);
    await userEvent.keyboard("{ArrowDown}{ArrowDown}{Enter}");
    expect(page.selection()).toMatchObject({ index: 1, layer: 7 });
    expect(document.activeElement).toHaveTextContent(/^7$/);
    await userEvent.keyboard("{Home} ");
    expect(page.selection()).toMatchObject({ index: 1, layer: N_LAYERS });
  });

  test("says of a pair that is not read that it is not", async () => {
    server.compare = () => new Promise<Response>(() => undefined);
    await comparePrompt();
    await userEvent.click(await screen.findByRole("button", { name: "Table" }));
    expect(within(table()).getAllByText("not read yet")).toHaveLength(N_LAYERS + 1);
  });

  test("an unaligned token has one row that says so, and no number", () => {
    const gap = alignment.columns.findIndex((each) => each.a === null);
    const contents = pairTable({
      alignment,
      compared: { pairs: new PairColumns(), target: null },
      a: tokens,
      b: changed,
      rowOf: (layer) => layer,
    });
    const chosen = vi.fn();
    render(
      <CellTable
        contents={contents}
        layers={[0, 1, 2]}
        layerLabels={["embed", "1", "2"]}
        span={{ start: gap, end: gap + 1 }}
        active={{ position: gap, layer: 0 }}
        onChoose={chosen}
      />,
    );
    const rows = within(table()).getAllByRole("row").slice(1);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toHaveTextContent(/^A unalignedB 4 .* id \d+unaligned: nothing is compared$/);
    expect(within(table()).queryAllByRole("button")).toEqual([]);
  });
});
