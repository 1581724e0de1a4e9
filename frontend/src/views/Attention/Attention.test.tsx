import { act, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useEffect } from "react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { forgetChoices } from "@/features/choices/choices";
import type { ViewProps } from "@/features/evidence/view";
import { signedTintOf } from "@/features/transcript/signedTint";
import { tintOf } from "@/features/transcript/tint";
import { type ViewTints, useShownViewTints } from "@/features/transcript/viewTints";
import { formatProbability, formatSigned } from "@/model/format";
import type { Timeline } from "@/model/timeline";
import { cellTextOfText } from "@/model/tokens";
import { N_HEADS, WITHOUT_ATTENTION, madeUpAttention } from "@/test/attentionData";
import { N_LAYERS, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { type FakeServer, fakeServer, refusal, renderView } from "@/test/renderView";
import type { AttentionRequest } from "@/types/schemas";
import Attention from "./Attention";
import { formatValue } from "./kinds";
import { POINTED } from "./textTints";

const tokens = madeUpTokens(30);
const INDEX = 14;
/** Reads the token that is selected. */
const POSITION = INDEX - 1;

let server: FakeServer;
let timeline: Timeline;
let serial = 0;
let tints: ViewTints | null = null;

beforeEach(() => {
  server = fakeServer(tokens);
  serial += 1;
  timeline = madeUpTimeline(tokens, `attention-${serial}`);
  localStorage.clear();
  forgetChoices();
});
afterEach(() => vi.unstubAllGlobals());

/** The view with the conversation's text beside it, as far as its colours go. */
function Page({ timeline: shown }: ViewProps) {
  return (
    <>
      <Attention timeline={shown} />
      <Colours />
    </>
  );
}

const rowsOf = (more: Partial<AttentionRequest> = {}) =>
  madeUpAttention(tokens, { position: POSITION, foil: "best", kind: "weight", ...more });

async function opened() {
  const view = renderView(Page, timeline, { index: INDEX });
  return { ...view, grid: await screen.findByRole("grid") };
}

const cell = (block: number, head: number): HTMLElement =>
  screen.getByRole("gridcell", { name: new RegExp(`^Block ${block}, head ${head}:`) });

const heading = (): string | null =>
  within(screen.getByRole("region", { name: "Sources" })).getByRole("heading").textContent;

const listed = (): (string | null)[] =>
  within(screen.getByRole("list", { name: "Most read" }))
    .getAllByRole("button")
    .map((button) => button.getAttribute("aria-label"));

/** The name of a source in the list, with its value. */
const named = (source: number, value: string): RegExp => new RegExp(`index ${source}: ${escape(value)}`);
const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

describe("the states", () => {
  test("empty: says what to click", () => {
    renderView(Page, timeline, { index: null });
    expect(screen.getByText(/Select any token to see which earlier tokens it reads/)).toBeInTheDocument();
    expect(server.attended).toEqual([]);
  });

  test("the first token was predicted by nothing, and leads to what it reads itself", async () => {
    renderView(Page, timeline, { index: 0 });
    await userEvent.click(screen.getByRole("button", { name: "Show what it predicts" }));
    await screen.findByRole("grid");
    expect(server.attended).toMatchObject([{ position: 0 }]);
  });

  test("loading: shows no number, and no colour in the text", async () => {
    server.attend = () => new Promise<Response>(() => undefined);
    renderView(Page, timeline, { index: INDEX });
    expect(await screen.findByText("Reading what each head reads…")).toBeInTheDocument();
    expect(screen.queryByRole("grid")).not.toBeInTheDocument();
    expect(tints?.tints).toBeNull();
    expect(tints?.legend.title).toContain("not read yet");
  });

  test("failed: says what and why, and reads again on request", async () => {
    const { attend } = server;
    server.attend = () => refusal("identity_failed", "The attention of block 2 gives no weights.", 422);
    renderView(Page, timeline, { index: INDEX });
    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent("The attention of block 2 gives no weights.");
    expect(alert).toHaveTextContent("identity_failed");
    expect(screen.queryByRole("grid")).not.toBeInTheDocument();
    server.attend = attend;
    await userEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(await screen.findByRole("grid")).toBeInTheDocument();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("cancelled: a reply that was stopped is asked for again until it is saved", async () => {
    const { attend } = server;
    let asked = 0;
    server.attend = (request) => {
      asked += 1;
      return asked === 1 ? refusal("conversation_not_found", "No such conversation.", 404) : attend(request);
    };
    const stopped = timeline.turns.map((turn) => ({ ...turn, finish: "cancelled" as const }));
    renderView(Page, { ...timeline, turns: stopped }, { index: INDEX });
    expect(await screen.findByRole("grid")).toBeInTheDocument();
    expect(asked).toBe(2);
  });

  test("while a reply is being written the model is not asked", async () => {
    const { show } = renderView(Page, { ...timeline, status: "streaming" }, { index: INDEX });
    expect(await screen.findByText(/The model is busy with the reply/)).toBeInTheDocument();
    expect(server.attended).toEqual([]);
    show(timeline);
    expect(await screen.findByRole("grid")).toBeInTheDocument();
    expect(server.attended).toHaveLength(1);
  });
});

describe("the numbers", () => {
  test("each head has its share outside the first token, the last block at the top", async () => {
    const { grid } = await opened();
    expect(server.attended).toEqual([
      {
        conversation_id: timeline.conversationId,
        position: POSITION,
        kind: "weight",
        foil: "best",
        direction: "reads",
      },
    ]);
    const { blocks, values } = rowsOf();
    const names = within(grid)
      .getAllByRole("rowheader")
      .map(({ textContent }) => Number(textContent));
    expect(names).toEqual(Array.from({ length: N_LAYERS }, (_, i) => N_LAYERS - i));
    for (const [row, block] of blocks.entries()) {
      for (let head = 0; head < N_HEADS; head += 1) {
        const outside = (values[row]?.[head] ?? []).slice(1).reduce((sum, value) => sum + value, 0);
        expect(cell(block, head)).toHaveTextContent(formatProbability(outside));
      }
    }
  });

  test("a block without attention is named as such, with no cell of a number", async () => {
    const { grid } = await opened();
    const row = within(grid)
      .getByRole("rowheader", { name: `Block ${WITHOUT_ATTENTION}, without attention` })
      .closest("[role=row]");
    expect(row).toHaveTextContent(/no attention/);
    expect(row?.querySelectorAll("[role=gridcell]")).toHaveLength(1);
  });

  test("what reads a token is the column of weights that later tokens give to it", async () => {
    await opened();
    await userEvent.click(screen.getByRole("radio", { name: "What reads it" }));
    await waitFor(() =>
      expect(server.attended.at(-1)).toMatchObject({ position: INDEX, kind: "weight", direction: "read_by" }),
    );
    const { values, sources } = rowsOf({ position: INDEX, direction: "read_by" });
    await userEvent.click(await screen.findByRole("gridcell", { name: /^Block 9, head 2:.*later tokens/ }));
    const column = values[rowsOf().blocks.indexOf(9)]?.[2] ?? [];
    const readers = within(screen.getByRole("list", { name: "Reads it most" })).getAllByRole("button");
    const order = sources.toSorted((a, b) => (column[b - INDEX] ?? 0) - (column[a - INDEX] ?? 0));
    for (const [place, button] of readers.entries()) {
      const reader = order[place] ?? -1;
      const value = formatProbability(column[reader - INDEX] ?? 0);
      expect(button).toHaveAccessibleName(named(reader, value));
    }
    const after = column.slice(1).reduce((sum, value) => sum + value, 0);
    expect(cell(9, 2)).toHaveAccessibleName(
      new RegExp(`: ${escape(formatValue("readBy", after))}, attention`),
    );
    expect(tints?.tints).toHaveLength(tokens.length);
    expect(screen.queryByRole("radio", { name: "Logit" })).not.toBeInTheDocument();
  });

  test("without a locked head the list has the mean over all heads", async () => {
    await opened();
    const { values } = rowsOf();
    const heads = values.flat();
    const mean = (source: number): number =>
      heads.reduce((sum, row) => sum + (row[source] ?? 0), 0) / heads.length;
    expect(heading()).toBe("All heads");
    expect(screen.getByText(`mean over ${heads.length} heads`)).toBeInTheDocument();
    const order = tokens
      .slice(0, POSITION + 1)
      .map(({ index }) => index)
      .sort((a, b) => mean(b) - mean(a));
    for (const [place, source] of order.slice(0, 10).entries()) {
      expect(listed()[place]).toMatch(named(source, formatProbability(mean(source))));
    }
  });

  test("a locked head has its own numbers, and what each message got of them", async () => {
    const { selection } = await opened();
    await userEvent.click(cell(9, 2));
    expect(selection().place).toEqual({ kind: "head", index: INDEX, block: 9, head: 2, second: null });
    const { blocks, values } = rowsOf();
    const row = values[blocks.indexOf(9)]?.[2] ?? [];
    expect(heading()).toBe("Block 9, head 2");
    expect(listed()[0]).toMatch(named(0, formatProbability(row[0] ?? 0)));
    const sum = (indices: readonly number[]): number =>
      indices.reduce((total, index) => total + (row[index] ?? 0), 0);
    const messages = within(screen.getByRole("region", { name: "By message" }))
      .getAllByRole("listitem")
      .map(({ textContent }) => textContent);
    expect(messages).toEqual([
      `First token1 token${formatProbability(sum([0]))}`,
      `User 15 tokens${formatProbability(sum([1, 2, 3, 4, 5]))}`,
      `Assistant 15 tokens${formatProbability(sum([9, 10, 11, 12, 13]))}`,
      `Template3 tokens${formatProbability(sum([6, 7, 8]))}`,
    ]);
    await userEvent.click(screen.getByRole("button", { name: "All heads" }));
    expect(selection().place).toEqual({ kind: "token", index: INDEX });
  });

  test("contributions are summed over heads, and the two logits are named", async () => {
    await opened();
    await userEvent.click(screen.getByRole("radio", { name: "Logit" }));
    const target = `“${cellTextOfText(tokens[INDEX]?.text ?? "")}”`;
    expect(
      await screen.findByText(new RegExp(`to the logit of ${target} − “[^”]*”\\.$`)),
    ).toBeInTheDocument();
    const heads = rowsOf({ kind: "logit" }).values.flat();
    const sums = tokens
      .slice(0, POSITION + 1)
      .map(({ index }) => heads.reduce((sum, row) => sum + (row[index] ?? 0), 0));
    const most = sums.reduce((best, sum, at) => (Math.abs(sum) > Math.abs(sums[best] ?? 0) ? at : best), 0);
    await waitFor(() => expect(listed()[0]).toMatch(named(most, formatSigned(sums[most] ?? 0))));
    await userEvent.click(screen.getByRole("combobox", { name: "Less" }));
    await userEvent.click(await screen.findByRole("option", { name: /mean of all/ }));
    expect(
      await screen.findByText(new RegExp(`to the logit of ${target} − the mean of all logits\\.$`)),
    ).toBeInTheDocument();
    expect(server.attended.at(-1)).toMatchObject({ kind: "logit", foil: "mean" });
  });

  test("what does not fit one answer is read in several, and shown as one", async () => {
    server.nHeads = 100_000;
    const { grid } = await opened();
    expect(server.attended.map(({ blocks }) => blocks)).toEqual(
      Array.from({ length: N_LAYERS }, (_, block) => [block + 1]),
    );
    expect(within(grid).getAllByRole("rowheader")).toHaveLength(N_LAYERS);
    expect(cell(N_LAYERS, 0)).toBeInTheDocument();
  });

  test("a learned sink is listed as attention to no token", async () => {
    server.attend = (request) => {
      const rows = madeUpAttention(tokens, request);
      return Response.json({
        ...rows,
        sink: rows.blocks.map(() => Array.from({ length: N_HEADS }, () => 0.25)),
      });
    };
    await opened();
    expect(screen.getByText("no token (learned sink)")).toHaveTextContent("0.250");
  });
});

describe("by keyboard", () => {
  test("arrows show a head, Enter locks and unlocks it", async () => {
    const { grid, selection } = await opened();
    act(() => grid.focus());
    const active = (): string | null =>
      document.getElementById(grid.getAttribute("aria-activedescendant") ?? "")?.getAttribute("aria-label") ??
      null;
    expect(active()).toMatch(/^Block 12, head 0:/);
    await userEvent.keyboard("{ArrowDown}{ArrowRight}{ArrowRight}{ArrowRight}");
    expect(active()).toMatch(/^Block 11, head 2:/);
    await waitFor(() => expect(heading()).toBe("Block 11, head 2"));
    expect(selection().place.kind).toBe("token");
    await userEvent.keyboard("{Enter}");
    expect(selection().place).toMatchObject({ kind: "head", block: 11, head: 2 });
    expect(cell(11, 2)).toHaveAttribute("aria-selected", "true");
    await userEvent.keyboard("{Control>}{End}{/Control}");
    expect(active()).toMatch(/^Block 1, head 2:/);
    await userEvent.keyboard("{ArrowUp}{ArrowUp}{ArrowUp}");
    expect(active(), "block 4 has no attention").toMatch(/^Block 5, head 2:/);
    await userEvent.keyboard("{Home}{ArrowLeft}");
    expect(active()).toBe("Block 5, all heads");
    await userEvent.keyboard(" ");
    expect(selection().place).toMatchObject({ kind: "block", block: 5 });
    await userEvent.keyboard(" ");
    expect(selection().place.kind).toBe("token");
  });

  test("when the keyboard leaves the grid, the locked head is shown again", async () => {
    const { grid } = await opened();
    await userEvent.click(cell(9, 2));
    await userEvent.keyboard("{ArrowUp}");
    await waitFor(() => expect(heading()).toBe("Block 10, head 2"));
    act(() => grid.blur());
    await waitFor(() => expect(heading()).toBe("Block 9, head 2"));
  });
});

describe("the text", () => {
  test("has the colours of the head that is shown, the first token beyond the scale", async () => {
    const { unmount } = await opened();
    await userEvent.click(cell(9, 2));
    const { blocks, values } = rowsOf();
    const row = values[blocks.indexOf(9)]?.[2] ?? [];
    const max = Math.max(...row.slice(1));
    await waitFor(() => expect(tints?.tints).toEqual(row.map((value) => tintOf(value, max))));
    expect(tints?.tints?.[0]?.isMarked).toBe(true);
    await userEvent.click(screen.getByRole("button", { name: "First token in scale" }));
    expect(tints?.tints).toEqual(row.map((value) => tintOf(value, row[0] ?? 0)));
    expect(tints?.legend.marked).toBeNull();
    unmount();
    render(<Colours />);
    expect(tints).toBeNull();
  });

  test("has two hues for contributions", async () => {
    await opened();
    await userEvent.click(screen.getByRole("radio", { name: "Logit" }));
    await userEvent.click(await screen.findByRole("gridcell", { name: /^Block 9, head 2: .* logits,/ }));
    const { blocks, values } = rowsOf({ kind: "logit" });
    const row = values[blocks.indexOf(9)]?.[2] ?? [];
    const max = Math.max(...row.slice(1).map(Math.abs));
    await waitFor(() => expect(tints?.tints).toEqual(row.map((value) => signedTintOf(value, max))));
    expect(new Set(row.map(Math.sign))).toEqual(new Set([1, -1]));
  });

  test("a source under the pointer or the keyboard is marked in the text", async () => {
    await opened();
    const [button] = within(screen.getByRole("list", { name: "Most read" })).getAllByRole("button");
    if (button === undefined) throw new Error("no source is listed");
    const marked = () => tints?.tints?.flatMap((tint, index) => (tint === POINTED ? [index] : []));
    expect(marked()).toEqual([]);
    await userEvent.hover(button);
    const source = Number(/index (\d+):/.exec(button.getAttribute("aria-label") ?? "")?.[1]);
    expect(marked()).toEqual([source]);
    await userEvent.unhover(button);
    expect(marked()).toEqual([]);
    act(() => button.focus());
    expect(marked()).toEqual([source]);
  });

  test("a press on a source selects it, and the head stays", async () => {
    const { selection } = await opened();
    await userEvent.click(cell(9, 2));
    await userEvent.click(screen.getByRole("button", { name: /index 0: / }));
    expect(selection().place).toEqual({ kind: "head", index: 0, block: 9, head: 2, second: null });
  });
});

/** Takes down the colours that the text has. */
function Colours() {
  const shown = useShownViewTints();
  useEffect(() => {
    tints = shown;
  });
  return null;
}
