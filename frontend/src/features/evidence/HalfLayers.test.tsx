import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { storedName } from "@/base/stored";
import type { ViewProps } from "@/features/evidence/view";
import { N_LAYERS, madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { fakeServer, renderView } from "@/test/renderView";
import Standard from "@/views/Standard/Standard";
import { HalfLayersToggle } from "./HalfLayersToggle";

const tokens = madeUpTokens(30);
const INDEX = 9;

afterEach(() => vi.unstubAllGlobals());

function Panel(props: ViewProps) {
  return (
    <>
      <HalfLayersToggle />
      <Standard {...props} />
    </>
  );
}

test("half layers are asked for, shown between the whole ones, selected, and remembered", async () => {
  const server = fakeServer(tokens);
  renderView(Panel, madeUpTimeline(tokens, "half"), { index: INDEX });
  await screen.findByRole("table", { busy: false });
  expect(screen.getAllByRole("rowheader")).toHaveLength(N_LAYERS + 1);
  await userEvent.click(await screen.findByRole("button", { name: "Half layers" }));
  await waitFor(() => expect(screen.getAllByRole("rowheader")).toHaveLength(2 * N_LAYERS + 1));
  await waitFor(() => expect(server.asked.at(-1)).toMatchObject({ half_layers: true }));
  const row = await screen.findByRole("button", { name: "Layer 6½ (after attention)" });
  await userEvent.click(row);
  const detail = await screen.findByRole("region", { name: "Selected layer" });
  expect(detail).toHaveTextContent("in block 7, before its MLP");
  const lens = madeUpLens(tokens, { positions: [INDEX - 1, INDEX], half_layers: true, top_k: 1 });
  const top = lens.vocabulary[String(lens.top_ids[13]?.[0]?.[0])] ?? "";
  expect(within(detail).getAllByRole("row")[1]).toHaveTextContent(top.trim());
  expect(JSON.parse(window.localStorage.getItem(storedName("settings")) ?? "{}")).toMatchObject({
    halfLayers: true,
  });
});

test("a model without half layers is read at whole ones and says why", async () => {
  window.localStorage.setItem(storedName("settings"), JSON.stringify({ halfLayers: true }));
  const server = fakeServer(tokens);
  const reason = "Attention and MLP of block 1 run side by side.";
  server.capabilities = {
    ...server.capabilities,
    half_layers: { available: false, reason, max_abs_diff: null },
  };
  renderView(Panel, madeUpTimeline(tokens, "no-half"), { index: INDEX });
  await screen.findByRole("table", { busy: false });
  expect(server.asked.every((request) => request.half_layers !== true)).toBe(true);
  const toggle = await screen.findByRole("button", { name: "Half layers" });
  expect(toggle).toHaveAttribute("title", reason);
  await userEvent.click(toggle);
  expect(screen.queryByRole("button", { name: "Half layers" })).not.toBeInTheDocument();
});
