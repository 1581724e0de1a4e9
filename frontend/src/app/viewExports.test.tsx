/** What the views give to be exported, from made-up read-outs of a server that answers. */
import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { type ComponentType, useEffect } from "react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ViewProps } from "@/features/evidence/view";
import type { ViewExport } from "@/features/export/viewExport";
import { captionOf } from "@/features/export/exportFigure";
import { useOpenView } from "@/features/export/useViewExport";
import { asFloat32, toRecords } from "@/features/export/table";
import { exportSource } from "@/test/exportSource";
import { madeUpAttribution } from "@/test/attributionData";
import { parsedFigure, typeSizes } from "@/test/figure";
import {
  MADE_UP,
  N_LAYERS,
  madeUpComparison,
  madeUpLens,
  madeUpTimeline,
  madeUpTokens,
} from "@/test/lensData";
import { type FakeServer, fakeServer, renderView } from "@/test/renderView";
import { branch, savedConversation } from "@/test/saved";
import { scriptIds, scriptRows } from "@/test/scriptRows";
import Attribution from "@/views/Attribution/Attribution";
import Compare from "@/views/Compare/Compare";
import Heatmap from "@/views/Heatmap/Heatmap";
import Layers from "@/views/Layers/Layers";
import Standard from "@/views/Standard/Standard";
import Trajectories from "@/views/Trajectories/Trajectories";

const tokens = madeUpTokens(12);
const SOURCE = exportSource(tokens);
let server: FakeServer;
let offered: ReturnType<typeof useOpenView> | null = null;

beforeEach(() => {
  server = fakeServer(tokens);
});
afterEach(() => vi.unstubAllGlobals());

/** Beside the view, as the menu is: not above it. */
function Watcher() {
  const openView = useOpenView();
  useEffect(() => {
    offered = openView;
  });
  return null;
}

/** Renders a view and waits until it can be exported. */
async function exportOf(View: ComponentType<ViewProps>, id: string, index = 5): Promise<ViewExport> {
  function Watched(props: ViewProps) {
    return (
      <>
        <View {...props} />
        <Watcher />
      </>
    );
  }
  renderView(Watched, madeUpTimeline(tokens, id), { index });
  await waitFor(() => expect(typeof offered?.viewExport).toBe("function"));
  if (typeof offered?.viewExport !== "function") throw new Error("nothing can be exported");
  return offered.viewExport();
}

/** The figure in both widths for paper and both themes; no text of it may be smaller than 6 pt. */
function drawnOf(viewExport: ViewExport): Document {
  const drawn = (["column", "page", "slide"] as const).flatMap((size) =>
    (["light", "dark"] as const).map((theme) => parsedFigure(viewExport, { size, theme })),
  );
  for (const each of drawn) expect(Math.min(...typeSizes(each))).toBeGreaterThanOrEqual(6);
  return drawn.find((each) => each.documentElement.getAttribute("width") === "170mm") ?? new Document();
}

test("Standard: every layer with its top-k and the actual token", async () => {
  const lens = madeUpLens(tokens, { positions: [4, 5], top_k: 5 });
  const viewExport = await exportOf(Standard, "export-standard");
  const rows = toRecords(viewExport.table);
  for (let layer = 0; layer <= N_LAYERS; layer += 1) {
    const own = rows.filter((row) => row["layer"] === layer);
    const top = own.slice(0, 5);
    expect(top.map((row) => row["token_id"])).toEqual(lens.top_ids[layer]?.[0]);
    expect(top.map((row) => row["probability"])).toEqual(lens.top_probabilities[layer]?.[0]?.map(asFloat32));
    const actual = own.filter((row) => row["is_actual"] === 1);
    expect(actual).toHaveLength(1);
    expect(actual[0]).toMatchObject({
      token_id: tokens[5]?.id,
      rank: lens.next_rank[layer]?.[0],
      entropy_nats: asFloat32(lens.entropy_nats[layer]?.[0] ?? Number.NaN),
      kl_to_final_nats: asFloat32(lens.kl_to_final_nats[layer]?.[0] ?? Number.NaN),
      read_at_index: 4,
      predicts_index: 5,
    });
  }
  const script = viewExport.script(SOURCE);
  expect(scriptRows(script, "PREDICTIONS")).toHaveLength(N_LAYERS + 1);
  expect(scriptRows(script, "PROBABILITIES")).toHaveLength(rows.length);
  const drawn = drawnOf(viewExport);
  expect(drawn.querySelector("parsererror")).toBeNull();
  expect(drawn.documentElement.textContent).toContain("embed");
});

test("Heatmap: every cell of every position, with its own colour", async () => {
  const viewExport = await exportOf(Heatmap, "export-heatmap");
  await waitFor(() => expect(server.asked.length).toBeGreaterThan(0));
  await waitFor(async () => {
    const now = typeof offered?.viewExport === "function" ? await offered.viewExport() : viewExport;
    expect(now.places).toHaveLength(tokens.length * (N_LAYERS + 1));
  });
  const whole = typeof offered?.viewExport === "function" ? await offered.viewExport() : viewExport;
  const lens = madeUpLens(tokens, { top_k: 5 });
  const rows = toRecords(whole.table);
  expect(rows).toHaveLength(tokens.length * (N_LAYERS + 1));
  for (const row of rows) {
    const [layer, position] = [Number(row["layer"]), Number(row["read_at_index"])];
    expect(row["top_id"]).toBe(lens.top_ids[layer]?.[position]?.[0]);
    expect(row["next_rank"]).toBe(lens.next_rank[layer]?.[position] ?? null);
    expect(row["entropy_nats"]).toBeCloseTo(lens.entropy_nats[layer]?.[position] ?? Number.NaN, 5);
  }
  const drawn = drawnOf(whole);
  expect(drawn.querySelectorAll("rect.cell")).toHaveLength(rows.length);
  expect(whole.facts.join(" ")).not.toContain("Not read");
  expect(offered?.commands.map((command) => command.label)).toContain("Colour the heatmap by Entropy");
});

test("Trajectories: every line at every layer, and one row of the script for each", async () => {
  const viewExport = await exportOf(Trajectories, "export-trajectories");
  await waitFor(async () => {
    const now = typeof offered?.viewExport === "function" ? await offered.viewExport() : viewExport;
    expect(now.places).toHaveLength(5 * (N_LAYERS + 1));
  });
  const whole = typeof offered?.viewExport === "function" ? await offered.viewExport() : viewExport;
  const rows = toRecords(whole.table);
  const id = Number(rows[0]?.["token_ids"]);
  const [target] = madeUpLens(tokens, { positions: [4, 5], top_k: 1, targets: [id] }).targets;
  expect(rows.slice(0, N_LAYERS + 1).map((row) => row["probability"])).toEqual(
    target?.probability.map((row) => asFloat32(row[0] ?? Number.NaN)),
  );
  expect(rows.slice(0, N_LAYERS + 1).map((row) => row["rank"])).toEqual(target?.rank.map((row) => row[0]));
  expect(drawnOf(whole).querySelector("parsererror")).toBeNull();
});

test("Attribution: every part that is known, adding up to the sum of the API, and one row of the script for each", async () => {
  await exportOf(Attribution, "export-attribution");
  await userEvent.click(await screen.findByRole("button", { name: "Show" }));
  await screen.findByRole("row", { name: /^·France/ });
  const whole = madeUpAttribution(tokens, { position: 4, unit: "head" });
  if (typeof offered?.viewExport !== "function") throw new Error("nothing can be exported");
  const viewExport = await offered.viewExport();
  const rows = toRecords(viewExport.table);
  const first = rows.filter((row) => row["level"] === 1);
  expect(first).toHaveLength(N_LAYERS + 2);
  expect(first.reduce((sum, row) => sum + Number(row["contribution_logits"]), 0)).toBeCloseTo(whole.sum, 5);
  expect(rows.filter((row) => row["part"] === "head").map((row) => row["target_logits"])).toEqual(
    whole.parts.filter(({ part }) => part === "head").map(({ target }) => asFloat32(target)),
  );
  expect(rows.filter((row) => row["part"] === "source")).toHaveLength(5);
  expect(viewExport.json).toMatchObject({ sum_logits: whole.sum, residue_logits: whole.residue });
  // Logits have no temperature, and are not read over the whole vocabulary.
  const caption = captionOf(viewExport, SOURCE).join(" ");
  expect(caption).toContain(`This token run again in ${SOURCE.model.dtype}; its parts in float64`);
  expect(caption).not.toContain("temperature");
  const script = viewExport.script(SOURCE);
  expect(scriptIds(script)).toEqual(tokens.slice(0, 5).map(({ id }) => id));
  const compared = scriptRows(script, "PARTS");
  expect(compared).toHaveLength(rows.length);
  expect(script.nNumbers).toBe(2 * compared.length + 3);
  const drawn = drawnOf(viewExport);
  expect(drawn.querySelector("parsererror")).toBeNull();
  const shown = screen.getAllByRole("row").filter((row) => row.hasAttribute("aria-level"));
  expect(drawn.querySelectorAll("rect.bar")).toHaveLength(shown.length);
});

test("Layers: every word shown with what it equals, and a drawing of the text", async () => {
  const viewExport = await exportOf(Layers, "export-layers", 10);
  await waitFor(async () => {
    const now = typeof offered?.viewExport === "function" ? await offered.viewExport() : viewExport;
    expect(now.table.rows).toHaveLength(3);
  });
  const whole = typeof offered?.viewExport === "function" ? await offered.viewExport() : viewExport;
  const lens = madeUpLens(tokens, { top_k: 5 });
  const rows = toRecords(whole.table);
  expect(rows.map((row) => row["index"])).toEqual([9, 10, 11]);
  for (const row of rows) {
    const position = Number(row["index"]) - 1;
    const top = lens.top_ids[N_LAYERS]?.[position]?.[0];
    const isActual = top === tokens[position + 1]?.id;
    expect(row).toMatchObject({
      layer: N_LAYERS,
      read_at_index: position,
      predicted_id: top,
      predicted_probability: asFloat32(
        Math.fround(lens.top_probabilities[N_LAYERS]?.[position]?.[0] ?? Number.NaN),
      ),
      actual_rank: lens.next_rank[N_LAYERS]?.[position],
      actual_probability: asFloat32(Math.fround(lens.next_probability[N_LAYERS]?.[position] ?? Number.NaN)),
      is_actual: Number(isActual),
      is_output_choice: 1,
      has_changed: Number(top !== lens.top_ids[N_LAYERS - 1]?.[position]?.[0]),
    });
    const own = scriptRows(whole.script(SOURCE), "PROBABILITIES").filter(([at]) => at === position);
    expect(own.map(([, , ids]) => ids)).toEqual(isActual ? [[top]] : [[top], [tokens[position + 1]?.id]]);
  }
  const drawn = drawnOf(whole);
  expect(drawn.querySelector("parsererror")).toBeNull();
  for (const text of ["embed", "actual token", "which"]) {
    expect(drawn.documentElement.textContent).toContain(text);
  }
  expect(whole.facts[0]).toMatch(
    /^At layer 12, the model’s own output, top-1 matches the actual token at \d of 3 positions/,
  );
  expect(offered?.commands.map((command) => command.label)).toContain("Play: step through the layers");
});

test("Compare: every pair at every layer, a row for each gap, and both timelines for the script", async () => {
  const others = tokens.filter((_, index) => index !== 4).map((token, index) => ({ ...token, index }));
  const id = "export-compare";
  server.saved = (path) =>
    Response.json(
      savedConversation({
        model: MADE_UP,
        id: path.endsWith("/other") ? "other" : id,
        branches: [branch(id), branch("other")],
        tokens: others,
      }),
    );
  const viewExport = await exportOf(Compare, id);
  await waitFor(async () => {
    const now = typeof offered?.viewExport === "function" ? await offered.viewExport() : viewExport;
    expect(now.places).toHaveLength(others.length * (N_LAYERS + 1));
  });
  const whole = typeof offered?.viewExport === "function" ? await offered.viewExport() : viewExport;
  const rows = toRecords(whole.table);
  expect(rows).toHaveLength(others.length * (N_LAYERS + 1) + 1);
  const gaps = rows.filter((row) => row["b_read_at_index"] === null);
  expect(gaps).toEqual([
    expect.objectContaining({
      column: 4,
      a_read_at_index: 4,
      js_nats: null,
      a_layer: null,
      is_same_token: 0,
    }),
  ]);
  const answer = madeUpComparison({ a: {}, b: {}, positions: [[5, 4]] });
  const own = rows.filter((row) => row["a_read_at_index"] === 5);
  expect(own.map((row) => row["b_read_at_index"])).toEqual(own.map(() => 4));
  expect(own.map((row) => row["js_nats"])).toEqual(
    answer.js_nats.map((row) => asFloat32(Math.fround(row[0] ?? Number.NaN))),
  );
  const script = whole.script(SOURCE);
  expect(scriptRows(script, "PAIRS")).toHaveLength(others.length * (N_LAYERS + 1));
  expect(scriptRows(script, "PROBABILITIES")).toHaveLength(others.length * (N_LAYERS + 1));
  expect(
    scriptRows(script, "OTHER_PROBABILITIES")
      .filter(([position]) => position === 4)
      .map(([, , ids]) => ids),
  ).toEqual(answer.b_top_id.map((row) => [row[0]]));
  expect(scriptIds(script, "OTHER_TOKEN_IDS")).toEqual(others.map((token) => token.id));
  const drawn = drawnOf(whole);
  expect(drawn.querySelector("parsererror")).toBeNull();
  expect(drawn.querySelectorAll("rect.cell")).toHaveLength(tokens.length * (N_LAYERS + 1));
  expect(offered?.commands.map((command) => command.label)).toContain("Compare by KL(A ‖ B)");
});

test("a view that has nothing yet says why, and nothing is left of it when it goes", async () => {
  server.answer = () => new Promise<Response>(() => undefined);
  function Watched(props: ViewProps) {
    return (
      <>
        <Standard {...props} />
        <Watcher />
      </>
    );
  }
  const { unmount } = renderView(Watched, madeUpTimeline(tokens, "export-none"), { index: 5 });
  await waitFor(() => expect(offered?.viewExport).toBe("The layers of this token are not read yet."));
  unmount();
  renderView(Watcher, madeUpTimeline(tokens, "export-none"), { index: null });
  expect(offered?.viewExport).toBe("There is nothing to export yet.");
});
