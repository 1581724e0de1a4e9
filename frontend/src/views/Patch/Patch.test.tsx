import { fireEvent, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { visitPair } from "@/features/pair/pair";
import type { Token } from "@/model/timeline";
import { madeUpMap, madeUpPatch } from "@/test/jobData";
import { MADE_UP, N_LAYERS, idOf, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { openAnswer } from "@/test/recordedStream";
import { fakeServer, refusal, renderView } from "@/test/renderView";
import { branch, savedConversation } from "@/test/saved";
import Patch from "./Patch";

/** The reply begins at index 9. */
const tokens = madeUpTokens(12);
const changed = (index: number, text: string, of: readonly Token[] = tokens): Token[] =>
  of.map((token) => (token.index === index ? { ...token, id: idOf(text), text, bytes: btoa(text) } : token));
/** Another word in the message, and another in the reply. */
const other = changed(10, " river", changed(4, " river"));

let number = 0;
let own = "";
/** Requests about jobs and patches: method, path and body. */
let asked: { readonly what: string; readonly body: unknown }[] = [];
let state = "running";
let patchAnswer: (() => Response | Promise<Response>) | null = null;

const job = (nDone: number) =>
  madeUpMap({ state, nDone, clean: tokens, corrupt: other, conversationId: own });

/** Stays open, as that of a job that goes on. */
function openEvents(signal: AbortSignal): Response {
  const { response, send } = openAnswer(signal);
  send({ type: "job", job: job(13) });
  return response;
}

beforeEach(() => {
  number += 1;
  own = `patch-${number}`;
  asked = [];
  state = "running";
  patchAnswer = () => Response.json(madeUpPatch());
  const server = fakeServer(tokens);
  server.saved = () =>
    Response.json(
      savedConversation({
        model: MADE_UP,
        id: "other",
        branches: [branch(own, { n_tokens: tokens.length }), branch("other")],
        tokens: other,
      }),
    );
  const answerOthers = globalThis.fetch;
  vi.stubGlobal("fetch", async (input: Request | string, init?: RequestInit) => {
    const request = typeof input === "string" ? new Request(new URL(input, location.href), init) : input;
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/api/jobs") && pathname !== "/api/patch") return answerOthers(input, init);
    const body: unknown = request.method === "POST" ? await request.json().catch(() => null) : null;
    asked.push({ what: `${request.method} ${pathname}`, body });
    if (pathname === "/api/patch") return patchAnswer?.() ?? Response.json(madeUpPatch());
    if (pathname === "/api/jobs") return Response.json({ id: "job-1" }, { status: 202 });
    if (pathname.endsWith("/pause")) state = "paused";
    if (pathname.endsWith("/resume")) state = "running";
    if (request.method === "DELETE") state = "cancelled";
    if (pathname.endsWith("/events")) return openEvents(request.signal);
    return Response.json(job(13));
  });
});
afterEach(() => vi.unstubAllGlobals());

async function opened() {
  visitPair({ vs: "saved.other" }, own);
  renderView(Patch, madeUpTimeline(tokens, own), { index: 3 });
  return screen.findByRole("grid", { name: /Causal map/ });
}
/** By its place: to look for one among hundreds by its name takes seconds. */
function cellAt(grid: HTMLElement, layer: number, pair: number): Element {
  const cell = grid.querySelector(`[data-layer="${layer}"][data-pair="${pair}"]`);
  if (cell === null) throw new Error(`there is no cell at layer ${layer}, pair ${pair}`);
  return cell;
}

const requests = (what: string) => asked.filter((each) => each.what === what);

test("says where both texts are read, and a click patches a cell between its two ends", async () => {
  const grid = await opened();
  expect(screen.getByText(/Read where A goes on with/)).toBeVisible();
  expect(cellAt(grid, 3, 4)).toHaveAccessibleName(/in B: not computed/);
  await userEvent.click(cellAt(grid, 3, 4));

  const run = await screen.findByRole("region", { name: "Patched run" });
  expect(await within(run).findByText("0.50")).toBeVisible();
  expect(within(run).getByRole("row", { name: /A alone \+4/ })).toBeVisible();
  expect(within(run).getByRole("row", { name: /B, patched \+1/ })).toBeVisible();
  expect(requests("POST /api/patch")[0]?.body).toMatchObject({
    clean: { conversation_id: own },
    clean_length: 10,
    corrupt_length: 10,
    layer: 3,
    positions: [[4, 4]],
    answer: tokens[10]?.id,
    foil: idOf(" river"),
  });
});

test("p on one cell and on another puts the state of the first into the second", async () => {
  const grid = await opened();
  grid.focus();
  await userEvent.keyboard("{Home}p{ArrowRight}{ArrowRight}p");
  await screen.findByRole("region", { name: "Patched run" });
  expect(requests("POST /api/patch")[0]?.body).toMatchObject({ layer: N_LAYERS, positions: [[0, 2]] });
});

test("dragging a cell to another position puts its state there", async () => {
  const grid = await opened();
  fireEvent.pointerDown(cellAt(grid, 5, 2));
  fireEvent.pointerUp(cellAt(grid, 5, 6));
  await screen.findByRole("region", { name: "Patched run" });
  expect(requests("POST /api/patch")[0]?.body).toMatchObject({ layer: 5, positions: [[2, 6]] });
});

test("without a B it speaks of no words to press but those that are there", async () => {
  renderView(Patch, madeUpTimeline(tokens, own), { index: 3 });
  expect(await screen.findByText(/^Press a word of the message above, type another one/)).toBeVisible();
  expect(screen.queryByText(/offered/)).toBeNull();
});

test("the second click of a double-click does not pause the map that the first one started", async () => {
  await opened();
  await userEvent.dblClick(screen.getByRole("button", { name: "Map every position" }));
  // A fast server has put Pause where the second click lands.
  await userEvent.dblClick(await screen.findByRole("button", { name: "Pause" }));

  expect(asked.filter(({ what }) => what.endsWith("/pause"))).toHaveLength(1);
  expect(asked.filter(({ what }) => what.endsWith("/resume"))).toEqual([]);
});

test("the map fills, and is paused, resumed and cancelled", async () => {
  const grid = await opened();
  await userEvent.click(screen.getByRole("button", { name: "Map every position" }));
  expect(await screen.findByText(/13 of 130 cells, about 12 s left/)).toBeVisible();
  expect(await screen.findByText(/^A \+4.*, B −2/)).toBeVisible();
  expect(grid.querySelectorAll('[aria-label$="score 0.25"]')).toHaveLength(13);
  await userEvent.click(screen.getByRole("button", { name: "Pause" }));
  expect(await screen.findByText(/paused/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Resume" }));
  await userEvent.click(await screen.findByRole("button", { name: "Pause" }));
  await userEvent.click(await screen.findByRole("button", { name: "Cancel" }));
  expect(await screen.findByRole("button", { name: "Start again" })).toBeVisible();
  expect(requests("DELETE /api/jobs/job-1")).toHaveLength(1);
});

test("parts of a block are asked for one after the other, so that the queue refuses none", async () => {
  let [open, most] = [0, 0];
  patchAnswer = async () => {
    open += 1;
    most = Math.max(most, open);
    await new Promise((resolve) => setTimeout(resolve));
    open -= 1;
    return Response.json(madeUpPatch());
  };
  const grid = await opened();
  await userEvent.click(cellAt(grid, 3, 4));
  await userEvent.click(await screen.findByRole("button", { name: /^Refine/ }));
  const parts = await screen.findByRole("list", { name: "Parts of block 3" });
  await vi.waitFor(() => expect(within(parts).queryByText("…")).toBeNull());
  expect(within(parts).getAllByText("0.50").length).toBeGreaterThan(1);
  expect(most).toBe(1);
});

test("a patch that has no score says why", async () => {
  patchAnswer = () => refusal("undefined_effect", "Both runs answer alike.", 422);
  const grid = await opened();
  grid.focus();
  await userEvent.keyboard("{Enter}");
  expect(await screen.findByRole("alert")).toHaveTextContent("Both runs answer alike.");
});

test("without another text there is nothing to patch", async () => {
  visitPair({ vs: "same" }, own);
  renderView(Patch, madeUpTimeline(tokens, own), { index: 3 });
  expect(await screen.findByText(/are the same text/)).toBeVisible();
});

test("while B’s reply is generated it is shown, and what makes it fail is said with a way to retry", async () => {
  visitPair({ vs: "prompt" }, own);
  renderView(Patch, madeUpTimeline(tokens, own), { index: 3 });
  expect(await screen.findByText(/a map then shows which position/)).toBeVisible();
  await userEvent.click(screen.getByRole("button", { name: "Compare" }));
  expect(await screen.findByRole("alert")).toHaveTextContent("The model could not be loaded.");
  expect(screen.getByRole("button", { name: "Retry" })).toBeVisible();
});
