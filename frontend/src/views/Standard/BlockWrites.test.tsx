import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { writeStored } from "@/base/stored";
import { formatSigned } from "@/model/format";
import { madeUpWrites } from "@/test/attributionData";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { fakeServer, refusal, renderView } from "@/test/renderView";
import Standard from "./Standard";

const tokens = madeUpTokens(30);
const timeline = madeUpTimeline(tokens, "writes");
const INDEX = 9;
const REQUEST = { position: INDEX - 1, block: 7, top_k: 8 };

afterEach(() => vi.unstubAllGlobals());

/** What is shown of a layer is remembered. */
beforeEach(() => writeStored("view-standard", { shown: "writes" }));

const written = () => screen.findByRole("region", { name: "What block 7 wrote" });

test("the opened row lists what attention and MLP of its block promote and suppress, in one request", async () => {
  const server = fakeServer(tokens);
  renderView(Standard, timeline, { index: INDEX, layer: 7 });
  const region = within(await written());
  const { writes } = madeUpWrites(REQUEST);
  for (const [title, effects] of [
    ["Attention promotes", writes[0]?.promoted],
    ["Attention suppresses", writes[0]?.suppressed],
    ["MLP promotes", writes[1]?.promoted],
    ["MLP suppresses", writes[1]?.suppressed],
  ] as const) {
    const items = within(await region.findByRole("list", { name: title })).getAllByRole("listitem");
    expect(items.map((item) => item.textContent)).toEqual(
      effects?.map(({ text, contribution }) => `${text.replace(" ", "·")}${formatSigned(contribution)}`),
    );
  }
  expect(server.opened).toEqual([{ conversation_id: "writes", ...REQUEST }]);
  expect(await written()).toHaveTextContent("less the mean over the vocabulary");
});

test("nothing is asked for before it is opened, and nothing of the embedding", async () => {
  window.localStorage.clear();
  const server = fakeServer(tokens);
  renderView(Standard, timeline, { index: INDEX, layer: 0 });
  const detail = await screen.findByRole("region", { name: "Selected layer" });
  expect(detail).toHaveTextContent("Layer 0 (embedding)");
  expect(screen.queryByRole("region", { name: /^What block/ })).not.toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Layer 3" }));
  expect(within(detail).getByRole("table")).toBeInTheDocument();
  expect(server.opened).toEqual([]);
  await userEvent.click(await screen.findByRole("radio", { name: "Written" }));
  expect(await screen.findByRole("list", { name: "MLP promotes" })).toBeInTheDocument();
  expect(server.opened.map(({ block }) => block)).toEqual([3]);
});

test("a half layer has the attention before it only", async () => {
  writeStored("settings", { halfLayers: true });
  fakeServer(tokens);
  renderView(Standard, timeline, { index: INDEX, layer: 6.5 });
  const region = within(await written());
  expect(await region.findByRole("list", { name: "Attention promotes" })).toBeInTheDocument();
  expect(region.queryByRole("list", { name: "MLP promotes" })).not.toBeInTheDocument();
  expect(await written()).toHaveTextContent("What the attention of block 7 added");
});

test("loading: says so", async () => {
  fakeServer(tokens).open = () => new Promise<Response>(() => undefined);
  renderView(Standard, timeline, { index: INDEX, layer: 7 });
  expect(within(await written()).getByRole("status")).toHaveTextContent("Reading…");
});

test("failed: says why beside the predictions, and reads again on request", async () => {
  const server = fakeServer(tokens);
  const { open } = server;
  server.open = () => refusal("out_of_memory", "Reading needs 170 MB; 64 MB are free.", 507);
  renderView(Standard, timeline, { index: INDEX, layer: 7 });
  const alert = await within(await written()).findByRole("alert");
  expect(alert).toHaveTextContent("Reading needs 170 MB; 64 MB are free.");
  expect(await screen.findByRole("table", { busy: false })).toBeInTheDocument();
  server.open = open;
  await userEvent.click(within(alert).getByRole("button", { name: "Retry" }));
  expect(await screen.findByRole("list", { name: "MLP suppresses" })).toBeInTheDocument();
});

test("not available: gives the reason, and asks for nothing", async () => {
  const server = fakeServer(tokens);
  const reason = "Block 1 is one part, not attention and an MLP.";
  server.capabilities = {
    ...server.capabilities,
    sublayers: { available: false, reason, max_abs_diff: null },
  };
  renderView(Standard, timeline, { index: INDEX, layer: 7 });
  expect(await written()).toHaveTextContent(reason);
  expect(server.opened).toEqual([]);
});
