import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { align } from "@/lib/alignment";
import { CellTable } from "@/components/heatmap/CellTable";
import { differenceOf } from "@/lib/differences";
import { formatNats, formatProbability, formatRank } from "@/lib/format";
import { PairColumns } from "@/lib/pairColumns";
import { writeStored } from "@/lib/stored";
import { cellTextOfText } from "@/lib/tokens";
import { N_LAYERS, idOf, madeUpComparison, madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { type FakeServer, fakeServer, refusal, renderView } from "@/test/renderView";
import { branch, savedConversation, summary } from "@/test/saved";
import type { Timeline, Token } from "@/types/timeline";
import Compare from "./Compare";
import { pairTable } from "./pairTable";

const tokens = madeUpTokens(12);
/** As A, with one token changed at index 3 and one more after it. */
const changed: Token[] = [
  ...tokens.slice(0, 3),
  ...[" Seine", " river"].map(tokenOf),
  ...tokens.slice(4, 9),
].map((token, index) => ({ ...token, index }));
const alignment = align(
  tokens.map(({ id }) => id),
  changed.map(({ id }) => id),
);

function tokenOf(text: string): Token {
  const [token] = madeUpTokens(1);
  if (token === undefined) throw new Error("no token");
  return { ...token, id: idOf(text), text, bytes: btoa(text) };
}

let server: FakeServer;
let number = 0;
/** A conversation of its own for each test: what was read is kept. */
const timelineOf = (more: Partial<Timeline> = {}): Timeline => ({
  ...madeUpTimeline(tokens, `compare-${(number += 1)}`),
  ...more,
});

beforeEach(() => {
  server = fakeServer(tokens);
  server.answer = (request) => {
    const isA = typeof request.conversation_id === "string";
    return Response.json(madeUpLens(isA ? tokens : changed, request));
  };
});
afterEach(() => vi.unstubAllGlobals());

const prompt = () => screen.findByRole("textbox", { name: /with a word changed/ });
const cell = () => screen.findByRole("gridcell");
const nPairs = alignment.nPairs;
const isRead = () => screen.findByText(new RegExp(`^${nPairs} of ${nPairs} pairs read`));

async function comparePrompt(timeline = timelineOf(), index: number | null = 6, layer = N_LAYERS) {
  writeStored("view-compare", { withReply: "off" });
  const page = renderView(Compare, timeline, { index, layer });
  const box = await prompt();
  await userEvent.clear(box);
  await userEvent.type(box, "The capital of the river is{Enter}");
  return page;
}

describe("before there is something to compare", () => {
  test("an empty conversation says what to do", () => {
    renderView(Compare, { conversationId: null, tokens: [], turns: [], status: "empty" }, { index: null });
    expect(screen.getByText(/Nothing to compare yet/)).toBeVisible();
    expect(server.compared).toEqual([]);
  });
  test("the box has the last message, and nothing is asked before Compare is pressed", async () => {
    renderView(Compare, timelineOf(), { index: 6 });
    expect(await prompt()).toHaveValue("User: The capital of France is");
    expect(screen.getByText(/Compare reads it as if you had sent it/)).toBeVisible();
    expect(server.asked).toEqual([]);
    expect(server.compared).toEqual([]);
  });
  test("a reply that failed cannot be compared, and says so", async () => {
    renderView(Compare, timelineOf({ conversationId: null }), { index: 6 });
    expect(await screen.findByText(/not saved/)).toBeVisible();
  });
});

describe("a prompt with a word changed", () => {
  test("is rendered once, then read by its ids, pair by pair and never a gap", async () => {
    await comparePrompt();
    await isRead();
    expect(server.asked[0]?.messages).toEqual([{ role: "user", content: "The capital of the river is" }]);
    const { a, b } = server.compared[0] ?? {};
    expect(a).toMatchObject({ conversation_id: `compare-${number}`, kind: "logit" });
    expect(b).toEqual({ token_ids: changed.map(({ id }) => id), kind: "logit" });
    const asked = server.compared.flatMap((request) => request.positions ?? []);
    const pairs = alignment.columns.flatMap((each) =>
      each.a === null || each.b === null ? [] : [[each.a, each.b]],
    );
    const inOrder = (all: number[][]) => all.toSorted(([one = 0], [other = 0]) => one - other);
    expect(inOrder(asked)).toEqual(inOrder(pairs));
    expect(screen.getByText(/stand against a gap/)).toHaveTextContent(`${12 + 10 - 2 * nPairs} tokens stand`);
  });

  test("is followed by the conversation's own reply, unless that is switched off", async () => {
    const timeline = timelineOf();
    renderView(Compare, timeline, { index: 6 });
    await userEvent.type(await prompt(), "{Enter}");
    await screen.findByText(/^(\d+) of \1 pairs read/);
    const reply = timeline.tokens.slice(timeline.turns[0]?.replyStart).map(({ id }) => id);
    expect(reply.length).toBeGreaterThan(0);
    const ids = changed.map(({ id }) => id);
    expect(server.compared[0]?.b).toEqual({ token_ids: [...ids, ...reply], kind: "logit" });
    await userEvent.click(screen.getByRole("switch", { name: "then A’s reply" }));
    await waitFor(() => expect(server.compared.at(-1)?.b).toEqual({ token_ids: ids, kind: "logit" }));
  });

  test("the place of the page is locked to its counterpart, with the server's numbers", async () => {
    await comparePrompt();
    await isRead();
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
    // 6 is a multiple of 3: from row 6 on the made-up first choices differ.
    expect(screen.getByText(/From layer 6 up to the output the two predict different tokens/)).toBeVisible();
  });

  test("a gap shows a gap, never a number", async () => {
    const gap = alignment.columns.findIndex((each) => each.a === null);
    expect(gap).toBeGreaterThan(0);
    await comparePrompt(timelineOf(), 4);
    await isRead();
    const grid = screen.getByRole("grid");
    grid.focus();
    await userEvent.keyboard("{Home}");
    for (let step = 0; step < gap; step += 1) await userEvent.keyboard("{ArrowRight}");
    expect(await cell()).toHaveTextContent(/a gap in A: nothing is compared/);
    expect(screen.queryByLabelText("Measures")).toBeNull();
    expect(screen.getByText(/A has a gap here/)).toBeVisible();
    expect(screen.getByRole("region", { name: "Predictions of A" })).toHaveTextContent("a gap");
  });

  test("a key goes to the next difference and selects what it predicts", async () => {
    const page = await comparePrompt();
    await isRead();
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
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "difference" }), "target");
    const token = screen.getByRole("combobox", { name: "token" });
    await userEvent.selectOptions(token, String(idOf(" Paris")));
    await waitFor(() => expect(server.compared.at(-1)?.targets).toEqual([idOf(" Paris")]));
    expect(await screen.findByText("B minus A")).toBeVisible();
  });
});

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
    expect(screen.getByText("Column 0 to 0")).toBeVisible();
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
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "difference" }), "target");
    const id = idOf(" Paris");
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "token" }), String(id));
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

  test("a gap has one row that says so, and no number", () => {
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
    expect(rows[0]).toHaveTextContent(/^A gapB 4 .* id \d+a gap: nothing is compared$/);
    expect(within(table()).queryAllByRole("button")).toEqual([]);
  });
});

describe("other things to compare with", () => {
  test("another branch is there from the start where there is one", async () => {
    const timeline = timelineOf();
    const own = timeline.conversationId ?? "";
    server.saved = (path) =>
      Response.json(
        savedConversation({
          id: path.endsWith("/other") ? "other" : own,
          branches: [branch(own), branch("other", { name: "Seine" })],
          tokens: changed,
        }),
      );
    renderView(Compare, timeline, { index: 6 });
    await isRead();
    expect(screen.getByRole("combobox", { name: "branch" })).toHaveDisplayValue("2 · Seine");
    expect(server.compared[0]?.b).toEqual({ conversation_id: "other", kind: "logit" });
  });

  test("a conversation whose title another one has is told apart on the button as in the list", async () => {
    const timeline = timelineOf();
    const own = timeline.conversationId ?? "";
    const at = (minute: number) => new Date(2024, 4, 2, 14, minute).getTime();
    const listed = [
      summary("one", { title: "The same", updated_at_ms: at(32), n_tokens: 18 }),
      summary("two", { title: "The same", updated_at_ms: at(40), n_tokens: 21 }),
      summary("three", { title: "Another", updated_at_ms: at(50) }),
    ].map((each) => ({ ...each, model: { name: "made-up", source: "hub" } }));
    server.saved = (path) =>
      Response.json(
        path.endsWith("/conversations")
          ? { conversations: listed, total: listed.length }
          : savedConversation({ id: path.split("/")[3] ?? own, branches: [branch(own)], tokens: changed }),
      );
    renderView(Compare, timeline, { index: 6 });
    await userEvent.selectOptions(await screen.findByRole("combobox", { name: /B:/ }), "saved");
    await userEvent.click(screen.getByRole("button", { name: "Choose…" }));
    await userEvent.click(
      await screen.findByRole("button", { name: "The same 2 May 2024 14:40, 21 tokens" }),
    );
    const chosen = await screen.findByRole("button", { name: "The same 2 May 2024 14:40, 21 tokens" });
    await waitFor(() => expect(server.compared[0]?.b).toEqual({ conversation_id: "two", kind: "logit" }));
    // One that no other looks like needs its title only.
    await userEvent.click(chosen);
    await userEvent.click(await screen.findByRole("button", { name: /^Another/ }));
    expect(await screen.findByRole("button", { name: "Another" })).toBeVisible();
  });

  test("itself is read at another layer, without asking for its ids", async () => {
    renderView(Compare, timelineOf(), { index: 6, layer: 4 });
    await prompt();
    await userEvent.selectOptions(screen.getByRole("combobox", { name: /B:/ }), "same");
    await screen.findByText(/^12 of 12 pairs read/);
    const { a, b, layers } = server.compared[0] ?? {};
    expect(b?.conversation_id).toBe(a?.conversation_id);
    expect(layers?.[4]).toEqual([4, N_LAYERS]);
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "layers" }), "one");
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "layer of A" }), "6");
    await waitFor(() => expect(server.compared.at(-1)?.layers).toEqual([[6, N_LAYERS]]));
    expect(await screen.findByText(/layer 6 of A beside layer 12 of B/)).toBeVisible();
  });

  test("and through another lens", async () => {
    server.lenses = [
      { kind: "logit", fitted_tokens: null },
      { kind: "tuned", fitted_tokens: 1 },
    ];
    await comparePrompt();
    await isRead();
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "lens of B" }), "tuned");
    await waitFor(() => expect(server.compared.at(-1)?.b.kind).toBe("tuned"));
    expect(server.compared.at(-1)?.a.kind).toBe("logit");
    expect(await screen.findByText("B, layer 12, tuned lens")).toBeVisible();
  });

  test("a conversation of another model is not read", async () => {
    const timeline = timelineOf();
    const own = timeline.conversationId ?? "";
    server.saved = () =>
      Response.json(
        savedConversation({
          id: own,
          branches: [branch(own), branch("other")],
          is_readable: false,
          tokens: [],
        }),
      );
    renderView(Compare, timeline, { index: 6 });
    expect(await screen.findByText(/can be read with that one only/)).toBeVisible();
    expect(server.compared).toEqual([]);
  });
});

describe("while it is not there", () => {
  test("loading says how far it is, and can be stopped and taken up again", async () => {
    let answer: (() => void) | null = null;
    server.compare = (request) =>
      new Promise((resolve) => {
        answer = () => resolve(Response.json(madeUpComparison(request)));
      });
    await comparePrompt();
    expect(await screen.findByText(new RegExp(`^0 of ${nPairs} pairs read`))).toBeVisible();
    expect(screen.getByRole("progressbar", { name: "Pairs read" })).toBeInTheDocument();
    const hatched = /Columns with hatched cells are not read yet/;
    expect(screen.getByText(hatched)).toHaveTextContent(/In a gap .* the cells are empty/);
    expect(await cell()).toHaveTextContent("not read yet");
    await userEvent.click(screen.getByRole("button", { name: "Stop reading" }));
    expect(await screen.findByText(/reading was stopped/)).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Read on" }));
    await waitFor(() => expect(server.compared).toHaveLength(2));
    expect(screen.getByText(hatched)).toBeInTheDocument();
    act(() => answer?.());
    await isRead();
    expect(screen.queryByText(hatched)).toBeNull();
    expect(screen.getByText(/In a gap .* the cells are empty/)).toBeInTheDocument();
  });

  test("what failed says why, and is read when it is asked for again", async () => {
    server.compare = () => refusal("model_failed", "The model could not be loaded.");
    await comparePrompt();
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("The model could not be loaded.");
    expect(alert).toHaveTextContent("model_failed");
    server.compare = (request) => Response.json(madeUpComparison(request));
    await userEvent.click(within(alert).getByRole("button", { name: "Retry" }));
    await isRead();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  test("a prompt that the server refuses says why", async () => {
    server.answer = () =>
      refusal("context_exceeded", "The text has 2,000 tokens; made-up allows 1,024.", 422);
    await comparePrompt();
    expect(await screen.findByRole("alert")).toHaveTextContent("made-up allows 1,024");
    expect(server.compared).toEqual([]);
  });

  test("while a reply is written the model is not asked; afterwards it is", async () => {
    const timeline = timelineOf({ status: "streaming" });
    const page = await comparePrompt(timeline);
    expect(await screen.findByText(/as soon as it has ended/)).toBeVisible();
    expect([server.asked, server.compared]).toEqual([[], []]);
    page.show({ ...timeline, status: "settled" });
    await isRead();
    page.show({ ...timeline, status: "streaming", tokens: [...tokens, ...madeUpTokens(14).slice(12)] });
    expect(screen.getByRole("grid")).toBeVisible();
  });
});
