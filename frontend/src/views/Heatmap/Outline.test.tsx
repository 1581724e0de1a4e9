import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { storedName } from "@/base/stored";
import { formatProbability, formatRank } from "@/model/format";
import { choose } from "@/test/choose";
import { activeCell, allRead, server, setUpHeatmap, timeline, tokens } from "@/test/heatmap";
import { N_LAYERS, idOf, madeUpLens, madeUpToken } from "@/test/lensData";
import { refusal, renderView } from "@/test/renderView";
import Heatmap from "./Heatmap";

setUpHeatmap();

describe("the outline of a pinned token", () => {
  const paris = { id: idOf(" Paris"), text: " Paris" };
  const outline = () => screen.getByRole("combobox", { name: "outline" });
  const targeted = () => server.asked.filter((request) => (request.targets ?? []).length > 0);

  async function pinned() {
    const view = renderView(Heatmap, timeline, { index: 9, layer: 8 });
    await allRead();
    act(() => view.pins().pin([paris]));
    return view;
  }

  test("empty: without a pin there is nothing to outline, and it says how to pin", async () => {
    renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    expect(outline()).toHaveAttribute("aria-disabled", "true");
    expect(outline()).toHaveTextContent("no token is pinned");
    expect(outline()).toHaveAccessibleDescription(/Pin a token/);
  });

  test("done: counts the cells by the server's ranks, and shows rank and probability of each", async () => {
    await pinned();
    expect(targeted()).toEqual([]);
    await choose(outline(), `·Paris (id ${paris.id})`);
    const ranks = madeUpLens(tokens, { targets: [paris.id] }).targets[0];
    const within5 = ranks?.rank.flat().filter((rank) => rank <= 5).length;
    const total = 30 * (N_LAYERS + 1);
    expect(
      await screen.findByText(new RegExp(`has rank 1 to 5 in ${String(within5)} of ${total} cells`)),
    ).toBeInTheDocument();
    const [rank, probability] = [
      formatRank(ranks?.rank[8]?.[8] ?? null),
      formatProbability(ranks?.probability[8]?.[8] ?? null),
    ];
    expect(activeCell()).toHaveTextContent(
      `outlined token “·Paris” rank ${rank}, probability ${probability}`,
    );
    expect(screen.getByRole("region", { name: "Cell" })).toHaveTextContent(`·Paris: rank${rank}`);
    expect(screen.getByRole("region", { name: "Cell" })).toHaveTextContent(
      `·Paris: probability${probability}`,
    );

    const asked = server.asked.length;
    await choose(screen.getByRole("combobox", { name: "at rank" }), "1 to 100");
    const within100 = ranks?.rank.flat().filter((each) => each <= 100).length ?? 0;
    expect(within100).toBeGreaterThan(within5 ?? 0);
    expect(
      screen.getByText(new RegExp(`has rank 1 to 100 in ${within100} of ${total} cells`)),
    ).toBeInTheDocument();
    expect(server.asked).toHaveLength(asked);
  });

  test("loading: says how far it is, and no number of a cell", async () => {
    await pinned();
    server.answer = () => new Promise<Response>(() => undefined);
    await choose(outline(), `·Paris (id ${paris.id})`);
    expect(screen.getByText(/in 0 of 0 cells/)).toBeInTheDocument();
    expect(screen.getByText("0 of 30 positions read for it…")).toBeInTheDocument();
    expect(screen.getByRole("region", { name: "Cell" })).toHaveTextContent("·Paris: rank–");
  });

  test("failed: says why, keeps the grid, and goes on on request", async () => {
    await pinned();
    const answer = server.answer;
    server.answer = () => refusal("out_of_memory", "Not enough memory.", 507);
    await choose(outline(), `·Paris (id ${paris.id})`);
    expect(await screen.findByRole("alert")).toHaveTextContent("Not enough memory.");
    expect(screen.getByText(/^30 of 30 positions read/)).toBeInTheDocument();
    server.answer = answer;
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(await screen.findByText(/has rank 1 to 5 in \d+ of 390 cells/)).toBeInTheDocument();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("cancelled: choosing nothing stops the reading", async () => {
    await pinned();
    let release: () => void = () => undefined;
    server.answer = (request) =>
      new Promise((resolve) => {
        release = () => resolve(Response.json(madeUpLens(tokens, request)));
      });
    await choose(outline(), `·Paris (id ${paris.id})`);
    await waitFor(() => expect(targeted()).toHaveLength(1));
    await choose(outline(), "nothing");
    release();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(targeted()).toHaveLength(1);
    expect(screen.queryByText(/^Outlined/)).not.toBeInTheDocument();
  });

  test("deferred: while a reply is written the model is not asked", async () => {
    const view = await pinned();
    view.show({ ...timeline, status: "streaming" });
    await choose(outline(), `·Paris (id ${paris.id})`);
    expect(
      screen.getByText(/positions read for it; the others follow when the reply has ended/),
    ).toBeInTheDocument();
    expect(targeted()).toEqual([]);
    view.show(timeline);
    expect(await screen.findByText(/in \d+ of 390 cells/)).toBeInTheDocument();
  });

  test("a token that was outlined the last time is not read while it is not pinned", async () => {
    window.localStorage.setItem(
      storedName("view-heatmap"),
      JSON.stringify({ outlinedToken: String(paris.id) }),
    );
    const view = renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    expect(targeted()).toEqual([]);
    act(() => view.pins().pin([paris]));
    expect(await screen.findByText(/in \d+ of 390 cells/)).toBeInTheDocument();
  });

  test("a token that came from a link has its text when the server has told it", async () => {
    const option = (name: string) =>
      within(screen.getByRole("listbox", { name: "outline" })).queryByRole("option", { name });
    let tell: () => void = () => undefined;
    server.token = (id) =>
      id === paris.id
        ? new Promise((resolve) => (tell = () => resolve(Response.json(madeUpToken(id)))))
        : refusal("storage_failed", "No.");
    const view = renderView(Heatmap, timeline, { index: 9 });
    await allRead();
    act(() =>
      view.pins().pin([
        { ...paris, text: null },
        { id: 7, text: null },
      ]),
    );
    await userEvent.click(outline());
    expect(option(`token (id ${paris.id})`)).toBeInTheDocument();
    tell();
    await waitFor(() => expect(option(`·Paris (id ${paris.id})`)).toBeInTheDocument());
    // Of the other one nothing is known, and nothing is made up.
    expect(option("token (id 7)")).toBeInTheDocument();
  });

  test("ends when the token is unpinned", async () => {
    const view = await pinned();
    await choose(outline(), `·Paris (id ${paris.id})`);
    expect(await screen.findByText(/in \d+ of 390 cells/)).toBeInTheDocument();
    act(() => view.pins().unpin(paris.id));
    expect(screen.queryByText(/^Outlined/)).not.toBeInTheDocument();
    expect(outline()).toHaveAttribute("aria-disabled", "true");
  });
});
