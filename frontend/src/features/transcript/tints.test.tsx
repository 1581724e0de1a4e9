import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { writeStored } from "@/base/stored";
import type { ViewProps } from "@/features/evidence/view";
import type { Colouring } from "@/features/settings/settings";
import { decisionLayer } from "@/model/decision";
import { N_LAYERS, madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { type FakeServer, fakeServer, refusal, renderView } from "@/test/renderView";
import { type Tint, tintOf } from "./tint";
import TintLegend from "./TintLegend";
import { TokenPart } from "./TokenPart";
import { useTints } from "./useTints";

const tokens = madeUpTokens(20);
let server: FakeServer;
let serial = 0;
let timeline: ReturnType<typeof madeUpTimeline>;

beforeEach(() => {
  server = fakeServer(tokens);
  server.lenses.push({
    kind: "tuned",
    fitted_tokens: 10,
    origin: "shipped",
    beats_controls: null,
    unfitted_layers: [],
  });
  writeStored("settings", { lens: "tuned" });
  // What was read of a conversation is kept, so each test has one of its own.
  serial += 1;
  timeline = madeUpTimeline(tokens, `tints-${serial}`);
});
afterEach(() => vi.unstubAllGlobals());

let shown: readonly (Tint | null)[] | null = null;

const coloured = (metric: Exclude<Colouring, "none">) =>
  function Coloured({ timeline: current }: ViewProps) {
    const colours = useTints(current, metric, N_LAYERS);
    shown = colours.tints;
    return (
      <TintLegend
        metric={metric}
        nLayers={N_LAYERS}
        colours={colours}
        isBusy={current.status !== "settled"}
        hasOwnBar={false}
      />
    );
  };

const decidedTints = () => {
  const { next_rank } = madeUpLens(tokens, {});
  return tokens.map(({ index }) =>
    index === 0
      ? null
      : tintOf(
          decisionLayer(next_rank.map((row) => row[index - 1] ?? 0)) ?? Number.POSITIVE_INFINITY,
          N_LAYERS,
        ),
  );
};

describe("the decision layer", () => {
  test("is that of the lens in use, which the legend names", async () => {
    renderView(coloured("decided"), timeline, { index: null });
    await waitFor(() => expect(shown).toEqual(decidedTints()));
    expect(screen.getByText(/up to the output, tuned lens:/)).toBeInTheDocument();
    expect(screen.queryByText(/tokens read/)).not.toBeInTheDocument();
    await waitFor(() => expect(new Set(server.asked.map((request) => request.kind))).toContain("tuned"));
    expect(server.asked.at(-1)?.kind).toBe("tuned");
  });

  test("takes nothing from a reply's stream, which is of the logit lens; it waits until that has ended", async () => {
    const read = madeUpLens(tokens, {});
    const streamed = tokens.map((token) => ({
      ...token,
      lens:
        token.index < 10
          ? null
          : read.layers.map((layer) => ({
              layer,
              label: read.labels[layer] ?? "",
              predictions: [],
              entropy_nats: 1,
              kl_to_final_nats: 1,
              actual: { rank: 1, probability: 0.5 },
            })),
    }));
    const open = { ...timeline, tokens: streamed, status: "streaming" as const };
    const view = renderView(coloured("decided"), open, { index: null });
    expect(await screen.findByText(/, tuned lens:/)).toBeInTheDocument();
    expect(
      screen.getByText("0 of 19 tokens read; what is missing is read when the reply has ended"),
    ).toBeInTheDocument();
    expect(server.asked.filter((request) => request.kind === "tuned")).toEqual([]);
    view.show({ ...timeline, tokens: streamed });
    await waitFor(() => expect(shown).toEqual(decidedTints()));
  });

  test("loading: says how far it is", async () => {
    server.answer = () => new Promise<Response>(() => undefined);
    renderView(coloured("decided"), timeline, { index: null });
    expect(await screen.findByText("0 of 19 tokens read")).toBeInTheDocument();
    expect(shown?.every((tint) => tint === null)).toBe(true);
  });

  test("failed: says why, and goes on on request", async () => {
    const { answer } = server;
    server.answer = () => refusal("out_of_memory", "Not enough memory.", 507);
    renderView(coloured("decided"), timeline, { index: null });
    expect(await screen.findByRole("alert")).toHaveTextContent("Not enough memory.");
    server.answer = answer;
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    await waitFor(() => expect(shown).toEqual(decidedTints()));
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });
});

test.each(["surprisal", "entropy"] as const)("%s is of the output, and of no lens", async (metric) => {
  renderView(coloured(metric), timeline, { index: null });
  await waitFor(() => expect(shown?.filter((tint) => tint !== null)).toHaveLength(19));
  expect(screen.getByText(/, nats:/)).not.toHaveTextContent("lens");
});

test("a token that had a colour looks as before once it has none", () => {
  const word = {
    part: { index: 1, isFirst: true, runs: [{ text: "word", kinds: [] }] },
    text: "word",
    mark: null,
    role: "user",
    noteMark: undefined,
  } as const;
  const token = (tint: Tint | null) => (
    <TokenPart {...word} isSpecial={false} isSelected={false} isInRange={false} tint={tint} />
  );
  const { rerender } = render(token(null));
  const before = screen.getByRole("option").className;
  rerender(token(tintOf(3, 10)));
  expect(screen.getByRole("option")).toHaveClass("token-tinted");
  rerender(token(null));
  expect(screen.getByRole("option").className).toBe(before);
  expect(screen.getByRole("option").style.backgroundColor).toBe("");
});
