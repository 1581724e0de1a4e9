/** What every view shows while there is nothing to show, and why. */
import { renderHook, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ComponentType } from "react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { writeStored } from "@/base/stored";
import { visitChoices } from "@/features/choices/choices";
import { visitPair } from "@/features/pair/pair";
import type { ViewProps } from "@/features/evidence/view";
import { useOpenView } from "@/features/export/useViewExport";
import type { LayerReadout, Timeline, Token } from "@/model/timeline";
import { MADE_UP, N_LAYERS, idOf, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { type FakeServer, fakeServer, refusal, renderView } from "@/test/renderView";
import { branch, savedConversation } from "@/test/saved";
import Attention from "@/views/Attention/Attention";
import Attribution from "@/views/Attribution/Attribution";
import Compare from "@/views/Compare/Compare";
import Heatmap from "@/views/Heatmap/Heatmap";
import Layers from "@/views/Layers/Layers";
import Patch from "@/views/Patch/Patch";
import Standard from "@/views/Standard/Standard";
import Trajectories from "@/views/Trajectories/Trajectories";

/** A view with the role of what it draws. */
type Case = readonly [string, ComponentType<ViewProps>, string];
const VIEWS: readonly Case[] = [
  ["Standard", Standard, "table"],
  ["Heatmap", Heatmap, "grid"],
  ["Trajectories", Trajectories, "slider"],
  ["Layers", Layers, "listbox"],
  ["Compare", Compare, "grid"],
  ["Attribution", Attribution, "treegrid"],
  ["Attention", Attention, "grid"],
];

/** Long enough that reading it all takes a while. */
const N_TOKENS = 200;
const INDEX = 12;
const tokens = madeUpTokens(N_TOKENS);
let server: FakeServer;
let timeline: Timeline;
let serial = 0;

beforeEach(() => {
  server = fakeServer(tokens);
  // What was read of a conversation is kept, so each test has one of its own.
  serial += 1;
  timeline = madeUpTimeline(tokens, `states-${serial}`);
  // Compare with itself, so that nothing has to be chosen first.
  visitPair({ vs: "same" }, timeline.conversationId);
});
afterEach(() => vi.unstubAllGlobals());

const lens: LayerReadout[] = Array.from({ length: N_LAYERS + 1 }, (_, layer) => ({
  layer,
  label: layer === 0 ? "embed" : String(layer),
  predictions: [{ token_id: 1009, text: ",", probability: 0.75, rank: 1 }],
  entropy_nats: 0.5,
  kl_to_final_nats: 0,
  actual: { probability: 0.75, rank: 1 },
}));
/** A reply that ended half-way in a failure of the server: its tokens are on the page only. */
const failed = (all: readonly Token[] = tokens): Timeline => ({
  ...timeline,
  conversationId: null,
  tokens: all,
});
const nothing = (status: "empty" | "waiting"): Timeline => ({
  ...timeline,
  conversationId: null,
  tokens: [],
  turns: [],
  status,
});
const asked = (): number =>
  [server.asked, server.compared, server.attributed, server.attended, server.patched].flat().length;

/** Another word in the message and another in the reply, and one cell of the two that is patched. */
function patchWithOther(): void {
  const other = tokens.map((token) =>
    token.index === 4 || token.index === INDEX ? { ...token, id: idOf(" river"), text: " river" } : token,
  );
  server.saved = () =>
    Response.json(
      savedConversation({ model: MADE_UP, id: "other", branches: [branch("other")], tokens: other }),
    );
  visitPair({ vs: "saved.other" }, timeline.conversationId);
  visitChoices("patch", { cell: "3.4.4" }, timeline.conversationId);
}

const isReading = (): boolean =>
  document.querySelector("[aria-busy=true], progress") !== null ||
  screen.queryByText(/^(Reading what|Taking the prediction apart)/) !== null;
/** What can be exported now, or why nothing can. */
const exported = () => renderHook(() => useOpenView().viewExport).result.current;

describe.each<Case>([...VIEWS, ["Patch", Patch, "grid"]])("%s", (_, View) => {
  beforeEach(() => {
    if (View === Patch) patchWithOther();
  });

  test("is empty where no conversation has begun, and says what to do", () => {
    renderView(View, nothing("empty"), { index: null });
    expect(screen.getByRole("status")).toHaveTextContent(
      /^Nothing to (read|compare|patch) yet\. Send a message/,
    );
    expect(asked()).toBe(0);
  });

  test("does not ask for a message while a conversation is on its way", () => {
    renderView(View, nothing("waiting"), { index: null });
    expect(screen.getByRole("status")).toHaveTextContent("Waiting for the tokens of the conversation…");
    expect(screen.queryByText(/Send a message/)).not.toBeInTheDocument();
  });

  test("says of a reply that failed half-way that it cannot be read yet, and asks for nothing", async () => {
    renderView(View, failed(), { index: INDEX });
    expect(await screen.findByText(/the reply failed, (so|and what the server kept)/i)).toBeVisible();
    expect(screen.queryByText(/as soon as|when the reply has ended/)).not.toBeInTheDocument();
    expect(screen.queryByRole("progressbar")).not.toBeInTheDocument();
    expect(asked()).toBe(0);
  });

  test("waits while the model is busy with the reply, and reads when it has ended", async () => {
    const view = renderView(View, { ...timeline, status: "streaming" }, { index: INDEX });
    expect(await screen.findAllByText(/as soon as it has ended|when the reply has ended/)).not.toEqual([]);
    expect(asked()).toBe(0);
    view.show(timeline);
    await waitFor(() => expect(asked()).toBeGreaterThan(0));
    await waitFor(() => expect(screen.queryByText(/has ended/)).not.toBeInTheDocument());
  });

  test("says what failed and why, and reads on request", async () => {
    const { answer, compare, attribute, attend, patch } = { ...server };
    server.patch = () => refusal("out_of_memory", "Not enough memory.", 507);
    server.attend = () => refusal("out_of_memory", "Not enough memory.", 507);
    server.attribute = () => refusal("out_of_memory", "Not enough memory.", 507);
    server.answer = () => refusal("out_of_memory", "Not enough memory.", 507);
    server.compare = () => refusal("out_of_memory", "Not enough memory.", 507);
    renderView(View, timeline, { index: INDEX });
    // Compare reads the selected pair besides all pairs, so that two things fail there.
    await screen.findAllByRole("alert");
    await waitFor(() => expect(screen.queryByText(/^Reading/)).not.toBeInTheDocument());
    for (const alert of screen.getAllByRole("alert")) {
      expect(alert).toHaveTextContent("Not enough memory.");
      expect(alert).toHaveTextContent("out_of_memory");
    }
    expect(screen.queryByRole("progressbar")).not.toBeInTheDocument();
    server.answer = answer;
    server.compare = compare;
    server.attribute = attribute;
    server.attend = attend;
    server.patch = patch;
    for (const retry of screen.getAllByRole("button", { name: "Retry" })) await userEvent.click(retry);
    await waitFor(() => expect(screen.queryByRole("alert")).not.toBeInTheDocument());
  });
});

describe.each(VIEWS)("%s", (_, View, drawing) => {
  test("shows that it is reading, then draws what was read and can export it", async () => {
    let isHeld = true;
    const release: (() => void)[] = [];
    const { answer, compare, attribute, attend } = server;
    const held = async (give: () => Response | Promise<Response>): Promise<Response> => {
      if (isHeld) await new Promise<void>((resolve) => release.push(resolve));
      return give();
    };
    server.answer = (request) => held(() => answer(request));
    server.compare = (request) => held(() => compare(request));
    server.attribute = (request) => held(() => attribute(request));
    server.attend = (request) => held(() => attend(request));
    renderView(View, timeline, { index: INDEX });
    await waitFor(() => expect(asked()).toBeGreaterThan(0));
    await waitFor(() => expect(isReading()).toBe(true));
    expect(exported()).toMatch(/(not .*yet|is read yet)\.$/);
    isHeld = false;
    for (const resume of release) resume();
    await waitFor(() => expect(isReading()).toBe(false));
    expect(screen.getAllByRole(drawing)[0]).toBeVisible();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
    expect(exported()).toBeTypeOf("function");
  });
});

describe("a reply that failed half-way", () => {
  const streamed = tokens.map((token) => (token.index === INDEX ? { ...token, lens } : token));

  test("keeps what came with its tokens in Standard", () => {
    renderView(Standard, failed(streamed), { index: INDEX });
    expect(screen.getByRole("table", { busy: false })).toHaveTextContent("0.750");
  });

  test.each([
    ["Heatmap", Heatmap],
    ["Layers", Layers],
  ] as const)("keeps what came with its tokens in %s, and says how much that is", async (_, View) => {
    renderView(View, failed(streamed), { index: INDEX });
    expect(await screen.findByText(/^1 of 200 positions read; the reply failed/)).toBeVisible();
    expect(server.asked).toEqual([]);
  });

  test("shows none of what came with it through another lens", async () => {
    server.lenses = [
      ...server.lenses,
      { kind: "tuned", fitted_tokens: 1, origin: "shipped", beats_controls: null, unfitted_layers: [] },
    ];
    writeStored("settings", { lens: "tuned" });
    renderView(Heatmap, failed(streamed), { index: INDEX });
    expect(await screen.findByText(/^0 of 200 positions read/)).toBeVisible();
  });
});

describe.each([
  ["Heatmap", Heatmap],
  ["Trajectories", Trajectories],
  ["Layers", Layers],
  ["Compare", Compare],
] as const)("%s", (_, View) => {
  test("stops reading on request, says so, and reads on on request", async () => {
    const [{ answer }, { compare }] = [server, server];
    const hang = () => new Promise<Response>(() => undefined);
    server.compare = hang;
    // What Trajectories suggests is read first.
    server.answer = (request) =>
      (request.targets ?? []).length > 0 || (request.positions?.[0] ?? 0) > INDEX ? hang() : answer(request);
    renderView(View, timeline, { index: INDEX });
    await userEvent.click(await screen.findByRole("button", { name: "Stop reading" }));
    expect(await screen.findByText(/reading was stopped/i)).toBeVisible();
    expect(screen.queryByRole("progressbar")).not.toBeInTheDocument();
    server.answer = answer;
    server.compare = compare;
    await userEvent.click(screen.getByRole("button", { name: "Read on" }));
    await waitFor(() => expect(screen.queryByText(/reading was stopped/i)).not.toBeInTheDocument());
    expect(screen.queryByRole("button", { name: "Read on" })).not.toBeInTheDocument();
  });
});
