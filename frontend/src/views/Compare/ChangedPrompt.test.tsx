import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { visitPair } from "@/features/pair/pair";
import { formatNats } from "@/model/format";
import {
  alignment,
  cell,
  changed,
  comparePrompt,
  isRead,
  nPairs,
  prompt,
  server,
  setUpCompare,
  timelineOf,
  tokens,
} from "@/test/compare";
import { choose } from "@/test/choose";
import { N_LAYERS, idOf, madeUpComparison } from "@/test/lensData";
import { renderView } from "@/test/renderView";
import Compare from "./Compare";

setUpCompare();

describe("a prompt with a word changed", () => {
  test("is rendered once, then read by its ids, pair by pair and never a gap", async () => {
    const timeline = timelineOf();
    await comparePrompt(timeline);
    await isRead();
    expect(server.asked[0]?.messages).toEqual([{ role: "user", content: "The capital of the river is" }]);
    const { a, b } = server.compared[0] ?? {};
    expect(a).toMatchObject({ conversation_id: timeline.conversationId, kind: "logit" });
    expect(b).toEqual({ token_ids: changed.map(({ id }) => id), kind: "logit" });
    const asked = server.compared.flatMap((request) => request.positions ?? []);
    const pairs = alignment.columns.flatMap((each) =>
      each.a === null || each.b === null ? [] : [[each.a, each.b]],
    );
    const inOrder = (all: number[][]) => all.toSorted(([one = 0], [other = 0]) => one - other);
    expect(inOrder(asked)).toEqual(inOrder(pairs));
    const nUnaligned = 12 + 10 - 2 * nPairs;
    expect(screen.getByText(/\d unaligned token/)).toHaveTextContent(
      `${nUnaligned} unaligned ${nUnaligned === 1 ? "token" : "tokens"}`,
    );
  });

  test("is followed by the conversation's own reply where that is forced on it", async () => {
    const timeline = timelineOf();
    visitPair({ reply: "forced" }, timeline.conversationId);
    renderView(Compare, timeline, { index: 6 });
    await userEvent.type(await prompt(), "{Enter}");
    await screen.findByText(/^(\d+) of \1 pairs read/);
    const reply = timeline.tokens.slice(timeline.turns[0]?.replyStart).map(({ id }) => id);
    expect(reply.length).toBeGreaterThan(0);
    const ids = changed.map(({ id }) => id);
    expect(server.compared[0]?.b).toEqual({ token_ids: [...ids, ...reply], kind: "logit" });
    await userEvent.click(screen.getByRole("button", { name: "Change B" }));
    await choose(screen.getByRole("combobox", { name: "B’s reply" }), "none");
    await waitFor(() => expect(server.compared.at(-1)?.b).toEqual({ token_ids: ids, kind: "logit" }));
  });

  test("the place of the page is locked to its counterpart, with the server's numbers", async () => {
    const page = await comparePrompt();
    await isRead();
    await waitFor(() => expect(page.selection().index).not.toBe(6));
    act(() => page.selection().select(6, N_LAYERS));
    // Index 6 is predicted at 5, whose counterpart stands one further on.
    const answer = madeUpComparison({ a: {}, b: {}, positions: [[5, 6]] });
    const js = formatNats(answer.js_nats[N_LAYERS]?.[0] ?? null);
    expect(await cell()).toHaveTextContent(/A read at index 5 “·is”, B read at index 6 “·is”/);
    expect(await cell()).toHaveTextContent(`Jensen–Shannon ${js} nats`);
    const measures = screen.getByLabelText("Measures");
    expect(measures).toHaveTextContent(`Jensen–Shannon, nats${js}`);
    expect(measures).toHaveTextContent(
      `KL(A ‖ B), nats${formatNats(answer.kl_a_to_b_nats[N_LAYERS]?.[0] ?? null)}`,
    );
    for (const [name, index] of [
      ["A", 5],
      ["B", 6],
    ] as const) {
      const side = screen.getByRole("region", { name: `Predictions of ${name}` });
      expect(await within(side).findAllByRole("listitem")).toHaveLength(5);
      expect(side).toHaveTextContent(`read at index ${index}`);
      expect(side).toHaveTextContent(`predicts index ${index + 1}`);
    }
    // 6 is a multiple of 3: from row 6 on the made-up top-1 predictions differ.
    expect(screen.getByText(/they differ from layer 6 on/)).toBeVisible();
  });

  test("an unaligned token shows that it is, never a number", async () => {
    const gap = alignment.columns.findIndex((each) => each.a === null);
    expect(gap).toBeGreaterThan(0);
    await comparePrompt(timelineOf(), 4);
    await isRead();
    const grid = screen.getByRole("grid");
    grid.focus();
    await userEvent.keyboard("{Home}");
    for (let step = 0; step < gap; step += 1) await userEvent.keyboard("{ArrowRight}");
    expect(await cell()).toHaveTextContent(/unaligned: nothing is compared/);
    expect(screen.queryByLabelText("Measures")).toBeNull();
    expect(screen.getByText(/B’s token is unaligned here/)).toBeVisible();
    expect(screen.getByRole("region", { name: "Predictions of A" })).toHaveTextContent("unaligned");
  });

  test("a key goes to the next difference and selects what it predicts", async () => {
    const page = await comparePrompt();
    await isRead();
    await waitFor(() => expect(page.selection().index).not.toBe(6));
    act(() => page.selection().select(6, N_LAYERS));
    screen.getByRole("button", { name: /^Next difference/ }).focus();
    await userEvent.keyboard(".");
    // Pairs whose B is a multiple of 3 differ at the output: after (5, 6) comes (8, 9).
    await waitFor(() => expect(page.selection().index).toBe(9));
    expect(await cell()).toHaveTextContent(/B read at index 9/);
    await userEvent.keyboard(",");
    await waitFor(() => expect(page.selection().index).toBe(6));
  });

  test("a conversation that grows is aligned anew, and only what is new is asked for", async () => {
    const timeline = timelineOf({ tokens: tokens.slice(0, 7) });
    const page = await comparePrompt(timeline);
    await screen.findByText(/(\d+) of \1 pairs read/);
    const before = server.compared.length;
    page.show({ ...timeline, tokens });
    await isRead();
    const asked = server.compared.slice(before).flatMap((request) => request.positions ?? []);
    expect(asked.length).toBeGreaterThan(0);
    for (const [a] of asked) expect(a).toBeGreaterThanOrEqual(7);
  });

  test("a token's probability is compared once it is chosen", async () => {
    await comparePrompt();
    await isRead();
    await choose(screen.getByRole("combobox", { name: "difference" }), "target");
    const token = screen.getByRole("combobox", { name: "token" });
    await choose(token, String(idOf(" Paris")));
    await waitFor(() => expect(server.compared.at(-1)?.targets).toEqual([idOf(" Paris")]));
    expect(await screen.findByText("B minus A")).toBeVisible();
  });
});
