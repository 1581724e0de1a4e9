import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { forgetChoices } from "@/features/choices/choices";
import { formatSigned } from "@/model/format";
import { madeUpAttribution } from "@/test/attributionData";
import { N_LAYERS, madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { type FakeServer, fakeServer, refusal, renderView } from "@/test/renderView";
import Attention from "./Attention";

const tokens = madeUpTokens(30);
const INDEX = 14;
const POSITION = INDEX - 1;
/** Of the target, at every layer: 0.4, and half of it under an intervention from this layer on. */
const FIRST_CHANGED = 5;

let server: FakeServer;
let serial = 0;

beforeEach(() => {
  server = fakeServer(tokens);
  serial += 1;
  forgetChoices();
  server.answer = (request) => {
    const answer = madeUpLens(tokens, request);
    const isChanged = (request.interventions ?? []).length > 0;
    const layers = request.layers ?? [];
    return Response.json({
      ...answer,
      fired: [],
      targets: answer.targets.map((target, i) => ({
        ...target,
        probability: layers.map((layer) => [i > 0 ? 0.2 : isChanged && layer >= FIRST_CHANGED ? 0.2 : 0.4]),
      })),
    });
  };
});
afterEach(() => vi.unstubAllGlobals());

async function locked() {
  renderView(Attention, madeUpTimeline(tokens, `head-ablation-${serial}`), { index: INDEX });
  await userEvent.click(await screen.findByRole("gridcell", { name: /^Block 9, head 1:/ }));
  return within(await screen.findByRole("region", { name: "Ablate head 1 of block 9" }));
}

const fail = (): never => {
  throw new Error("there are no tokens");
};

const interventions = () => server.asked.at(-1)?.interventions;

test("nothing is offered until a head is locked", async () => {
  renderView(Attention, madeUpTimeline(tokens, `head-ablation-${serial}`), { index: INDEX });
  await screen.findByRole("grid");
  expect(screen.queryByRole("region", { name: /^Ablate/ })).not.toBeInTheDocument();
});

test("the locked head is taken away, and the change stands beside what it adds directly", async () => {
  const panel = await locked();
  await userEvent.click(panel.getByRole("radio", { name: "Zero" }));
  const asked = { position: POSITION, target: null, foil: "best" as const, unit: "head" as const };
  const own = madeUpAttribution(tokens, asked).parts.find(
    ({ part, block, head }) => part === "head" && block === 9 && head === 1,
  );
  const status = await panel.findByText(/a change of/);
  expect(status).toHaveTextContent(/^logit difference of “.*” less that of “.*” /);
  expect(status).toHaveTextContent(
    `${formatSigned(Math.log(2))} → ${formatSigned(0)}: a change of ${formatSigned(-Math.log(2))}; directly it adds ${formatSigned(own?.contribution ?? Number.NaN)}`,
  );
  expect(interventions()).toEqual([
    { site: "head", layers: [9], heads: [1], positions: [POSITION], op: { kind: "zero" } },
  ]);
  await userEvent.click(panel.getByRole("radio", { name: "Mean" }));
  await panel.findByText(/a change of/);
  expect(interventions()?.[0]?.op).toEqual({ kind: "mean" });
});

test("the head is resampled from another message, at the same place of it", async () => {
  const panel = await locked();
  await userEvent.click(panel.getByRole("radio", { name: "Resample" }));
  // The message of the made-up text is that of the capital of France.
  const donor = ["User:", " The", " capital", " of", " Spain", " is", " now"].map((text, index) => ({
    ...(tokens[0] ?? fail()),
    index,
    text,
    id: 5000 + index,
  }));
  const { answer } = server;
  server.answer = (request) =>
    request.messages === undefined
      ? answer(request)
      : Response.json({ ...madeUpLens(tokens, request), tokens: donor });
  await userEvent.click(await panel.findByRole("button", { name: "Try Spain" }));
  expect(await panel.findByText(/a change of/)).toHaveTextContent(
    /directly it adds .* what replaces it also adds/,
  );
  // The reply up to the token that is read goes on after the other message.
  const same = tokens.slice(9, POSITION + 1);
  expect(interventions()).toEqual([
    {
      site: "head",
      layers: [9],
      heads: [1],
      positions: [POSITION],
      op: {
        kind: "replace",
        from: { token_ids: [...donor, ...same].map(({ id }) => id) },
        positions: [donor.length + same.length - 1],
      },
    },
  ]);
  expect(panel.getByText(/Spain/).closest("p")).toHaveTextContent(
    new RegExp(`index ${donor.length + same.length - 1}Change$`),
  );
  await userEvent.click(panel.getByRole("button", { name: "Change" }));
  expect(panel.getByRole("button", { name: "Resample" })).toBeInTheDocument();
  expect(panel.queryByText(/a change of/)).not.toBeInTheDocument();
});

test("a message that is the same changes nothing, and the panel says so", async () => {
  const panel = await locked();
  await userEvent.click(panel.getByRole("radio", { name: "Resample" }));
  const asked = server.asked.length;
  const { answer } = server;
  server.answer = (request) =>
    request.messages === undefined
      ? answer(request)
      : Response.json({ ...madeUpLens(tokens, request), tokens: tokens.slice(0, 9) });
  await userEvent.click(await panel.findByRole("button", { name: "Resample" }));
  expect(await panel.findByText(/that text is this one, so nothing would change/)).toBeInTheDocument();
  expect(server.asked.slice(asked).flatMap((each) => each.interventions ?? [])).toEqual([]);
});

test("Escape undoes an ablation, and leaves the choice at Off", async () => {
  const panel = await locked();
  await userEvent.click(panel.getByRole("radio", { name: "Zero" }));
  await panel.findByText(/a change of/);
  await userEvent.keyboard("{Escape}");
  expect(panel.queryByText(/a change of/)).not.toBeInTheDocument();
  expect(panel.getByRole("radio", { name: "Off" })).toHaveFocus();
});

test("the strip has the change at each layer, through the logit lens", async () => {
  const panel = await locked();
  await userEvent.click(panel.getByRole("radio", { name: "Zero" }));
  const strip = await panel.findByRole("list", { name: "Change of the logit difference by layer" });
  const layers = within(strip)
    .getAllByRole("listitem")
    .map((item) => item.title);
  expect(layers).toHaveLength(N_LAYERS + 1);
  expect(layers[FIRST_CHANGED - 1]).toBe(`layer ${FIRST_CHANGED - 1}: ${formatSigned(0)}`);
  expect(layers[FIRST_CHANGED]).toBe(`layer ${FIRST_CHANGED}: ${formatSigned(-Math.log(2))}`);
});

test("one edge is removed from the token that is chosen", async () => {
  const panel = await locked();
  await userEvent.click(panel.getByRole("radio", { name: "One edge" }));
  await userEvent.click(panel.getByRole("radio", { name: "Remove" }));
  expect(await panel.findByText(/a change of/)).toHaveTextContent(/directly this edge adds/);
  expect(interventions()).toEqual([
    {
      site: "head",
      layers: [9],
      heads: [1],
      positions: [POSITION],
      op: { kind: "knock_out", sources: [expect.any(Number)] },
    },
  ]);
});

test("a model whose attention edges cannot be removed says why", async () => {
  const reason = "Its attention is not computed by a known function.";
  server.sites = { ...server.sites, knock_out: { available: false, reason, max_abs_diff: null } };
  const panel = await locked();
  await userEvent.click(panel.getByRole("radio", { name: "One edge" }));
  expect(panel.getByText(`Not on this model: ${reason}`)).toBeInTheDocument();
});

test("a run that fails says what the server says", async () => {
  server.answer = () => refusal("unsupported_intervention", "Nothing can be changed there.", 422);
  const panel = await locked();
  await userEvent.click(panel.getByRole("radio", { name: "Zero" }));
  expect(await panel.findByRole("alert")).toHaveTextContent("Nothing can be changed there.");
});
