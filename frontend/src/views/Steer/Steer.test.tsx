import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useViewOpener } from "@/features/evidence/showView";
import type { ViewProps } from "@/features/evidence/view";
import { prepareSteering } from "@/features/steering/choices";
import { formatProbability } from "@/model/format";
import type { Steering, Timeline } from "@/model/timeline";
import { madeUpProbability } from "@/test/doseData";
import { N_LAYERS, madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { fakeServer, refusal, renderView } from "@/test/renderView";
import Steer from "./Steer";

const tokens = madeUpTokens(30);
const timeline: Timeline = madeUpTimeline(tokens, "steer");
const INDEX = timeline.turns.at(-1)?.replyStart ?? 0;
const TOKEN = 1005;

beforeEach(() => prepareSteering({ steer: TOKEN }, "steer"));
afterEach(() => vi.unstubAllGlobals());

const slider = () => screen.findByRole("slider", { name: "Strength", busy: false });

test("empty: without a conversation there is nothing to steer", () => {
  fakeServer([]);
  renderView(Steer, { ...timeline, conversationId: null, tokens: [], status: "empty" }, { index: null });
  expect(screen.getByText(/Nothing to steer yet/)).toBeInTheDocument();
});

test("without a token it says how to choose one, and asks for no curve", async () => {
  prepareSteering({}, "steer");
  const server = fakeServer(tokens);
  renderView(Steer, timeline, { index: INDEX });
  expect(await screen.findByText(/^Choose a token:/)).toBeInTheDocument();
  expect(server.dosed).toEqual([]);
});

test("loading: the slider is there and busy", async () => {
  fakeServer(tokens).dose = () => new Promise<Response>(() => undefined);
  renderView(Steer, timeline, { index: INDEX });
  expect(await screen.findByRole("slider", { name: "Strength", busy: true })).toBeInTheDocument();
});

test("failed: says what the server says, and reads again on request", async () => {
  const server = fakeServer(tokens);
  const { dose } = server;
  server.dose = () => refusal("unsupported_intervention", "Nothing can be changed at layer 4.", 422);
  renderView(Steer, timeline, { index: INDEX });
  expect(await screen.findByRole("alert")).toHaveTextContent("Nothing can be changed at layer 4.");
  server.dose = dose;
  await userEvent.click(screen.getByRole("button", { name: "Retry" }));
  expect(await slider()).toBeInTheDocument();
});

test("the curve is asked for once, with the middle layers and both directions of strength", async () => {
  const server = fakeServer(tokens);
  renderView(Steer, timeline, { index: INDEX });
  expect(await slider()).toHaveAttribute(
    "aria-valuetext",
    `Strength 0.1. At 0.0833: ${formatProbability(madeUpProbability(0.25 / 3))}; random direction ${formatProbability(madeUpProbability(0.25 / 3, true))}`,
  );
  expect(server.dosed).toHaveLength(1);
  const [asked] = server.dosed;
  expect(asked).toMatchObject({
    conversation_id: "steer",
    position: INDEX - 1,
    targets: [TOKEN],
    interventions: [
      {
        site: "resid",
        layers: [4, 5, 6, 7, 8],
        positions: "reply",
        op: { kind: "add", direction: { kind: "token", token_id: TOKEN } },
      },
    ],
  });
  expect(asked?.strengths[0]).toBe(-0.25);
  expect(asked?.strengths).toContain(0);
  expect(asked?.strengths.at(-1)).toBe(0.25);
});

test("keys move the strength, a number beyond the curve widens it, and nothing caps it", async () => {
  const server = fakeServer(tokens);
  renderView(Steer, timeline, { index: INDEX });
  (await slider()).focus();
  await userEvent.keyboard("{ArrowLeft}");
  expect(await slider()).toHaveAttribute("aria-valuenow", "0.0875");
  const field = screen.getByRole("spinbutton", { name: "Strength" });
  await userEvent.clear(field);
  await userEvent.type(field, "-3");
  await waitFor(() => expect(server.dosed.at(-1)?.strengths[0]).toBe(-8));
  expect(await slider()).toHaveAttribute("aria-valuenow", "-3");
});

test("layers are chosen by their two ends, and shown where the token can be read", async () => {
  const server = fakeServer(tokens);
  renderView(Steer, timeline, { index: INDEX });
  await slider();
  const strip = within(screen.getByRole("region", { name: "Layers" }));
  const lens = madeUpLens(tokens, { positions: [INDEX - 1, INDEX], targets: [TOKEN], top_k: 1 });
  const probability = lens.targets[0]?.probability.at(N_LAYERS)?.at(0) ?? null;
  expect(
    await strip.findByTitle(new RegExp(`^Layer ${N_LAYERS}: rank .*${formatProbability(probability)}`)),
  ).toBeInTheDocument();
  strip.getByRole("slider", { name: "First layer" }).focus();
  await userEvent.keyboard("{End}");
  await waitFor(() => expect(server.dosed.at(-1)?.interventions?.[0]?.layers).toEqual([N_LAYERS]));
});

test("an ablation stands beside the plain model and random directions", async () => {
  prepareSteering({ steer: TOKEN, how: "ablate" }, "steer");
  const server = fakeServer(tokens);
  renderView(Steer, timeline, { index: INDEX });
  const table = await screen.findByRole("table", { busy: false });
  expect(
    within(table)
      .getAllByRole("rowheader")
      .map((head) => head.textContent),
  ).toEqual(["plain model", "with the change", "with random directions"]);
  const runs = server.asked.filter(({ layers }) => layers?.length === 1).map((each) => each.interventions);
  expect(runs.map((each) => each?.[0]?.op)).toEqual([
    undefined,
    { kind: "project_out", direction: { kind: "token", token_id: TOKEN } },
    { kind: "project_out", direction: { kind: "random", seed: 1 } },
  ]);
});

test("a contrast of two texts is used when both are given", async () => {
  prepareSteering({ by: "contrast" }, "steer");
  const server = fakeServer(tokens);
  renderView(Steer, timeline, { index: INDEX });
  await userEvent.type(await screen.findByRole("textbox", { name: /^Towards/ }), "I love this.");
  expect(screen.getByRole("button", { name: "Use" })).toBeDisabled();
  await userEvent.type(screen.getByRole("textbox", { name: /^Away/ }), "I hate this.");
  await userEvent.click(screen.getByRole("button", { name: "Use" }));
  await slider();
  expect(server.dosed[0]?.targets).toEqual([tokens[INDEX]?.id]);
  expect(server.dosed[0]?.interventions?.[0]?.op).toMatchObject({
    direction: { kind: "contrast", plus: ["I love this."], minus: ["I hate this."] },
  });
});

test("taking a direction out says where a head is removed", async () => {
  prepareSteering({ steer: TOKEN, how: "ablate" }, "steer");
  fakeServer(tokens);
  const open = vi.fn();
  const View = (props: ViewProps) => {
    useViewOpener(open);
    return <Steer {...props} />;
  };
  renderView(View, timeline, { index: INDEX });
  await userEvent.click(await screen.findByRole("button", { name: "Attention" }));
  expect(open).toHaveBeenCalledWith("attention");
});

test("a steered branch says what it is computed under, and opens with it", async () => {
  const steering: Steering = {
    interventions: [
      {
        site: "resid",
        layers: [6],
        heads: null,
        positions: "all",
        op: { kind: "add", direction: { kind: "token", token_id: TOKEN }, strength: -0.4 },
      },
    ],
    reply_start: INDEX,
  };
  prepareSteering({}, "steer");
  fakeServer(tokens);
  renderView(Steer, { ...timeline, steering }, { index: INDEX });
  expect(
    await screen.findByText(/^This branch adds −0.4 × .* at layer 6 in prompt and reply/),
  ).toBeInTheDocument();
  expect(await slider()).toHaveAttribute("aria-valuenow", "-0.4");
  expect(screen.getByRole("radio", { name: "Both" })).toBeChecked();
});
