import { act, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test } from "vitest";
import { EMPTY_TIMELINE } from "@/features/chat/chatState";
import {
  alignment,
  cell,
  comparePrompt,
  isRead,
  nPairs,
  prompt,
  server,
  setUpCompare,
  timelineOf,
  tokens,
} from "@/test/compare";
import { N_LAYERS, agreesAt, madeUpComparison, madeUpTokens } from "@/test/lensData";
import { refusal, renderView } from "@/test/renderView";
import Compare from "./Compare";

setUpCompare();

describe("before there is something to compare", () => {
  test("an empty conversation says what to do", () => {
    renderView(Compare, EMPTY_TIMELINE, { index: null });
    expect(screen.getByText(/Nothing to compare yet/)).toBeVisible();
    expect(server.compared).toEqual([]);
  });
  test("the box has the last message, and nothing is asked before Compare is pressed", async () => {
    renderView(Compare, timelineOf(), { index: 6 });
    expect(await prompt()).toHaveValue("User: The capital of France is");
    expect(screen.getByText(/Press a word of the message above/)).toBeVisible();
    expect(server.asked).toEqual([]);
    expect(server.compared).toEqual([]);
  });
  test("a reply that failed cannot be compared, and says so", async () => {
    renderView(Compare, timelineOf({ conversationId: null }), { index: 6 });
    expect(await screen.findByText(/The reply failed, and what the server kept/)).toBeVisible();
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
    expect(screen.getByText(hatched)).toHaveTextContent(/Beside an unaligned token .* the cells are empty/);
    expect(await cell()).toHaveTextContent("not read yet");
    await userEvent.click(screen.getByRole("button", { name: "Stop reading" }));
    expect(await screen.findByText(/reading was stopped/)).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Read on" }));
    await waitFor(() => expect(server.compared).toHaveLength(2));
    expect(screen.getByText(hatched)).toBeInTheDocument();
    act(() => answer?.());
    await isRead();
    expect(screen.queryByText(hatched)).toBeNull();
    expect(screen.getByText(/Beside an unaligned token .* the cells are empty/)).toBeInTheDocument();
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
    expect(await screen.findByText(/as soon as it has ended|when the reply has ended/)).toBeVisible();
    expect([server.asked, server.compared]).toEqual([[], []]);
    page.show({ ...timeline, status: "settled" });
    await isRead();
    page.show({ ...timeline, status: "streaming", tokens: [...tokens, ...madeUpTokens(14).slice(12)] });
    expect(screen.getByRole("grid")).toBeVisible();
  });
});

describe("what is looked at first", () => {
  /** Of the made-up pairs that predict a token of the reply, the first whose top-1 predictions differ at the output. */
  const parting = alignment.columns.find(
    ({ a, b }) => a !== null && b !== null && !agreesAt(b, N_LAYERS) && tokens[a + 1]?.role === "assistant",
  );

  test("with nothing selected, the first difference in the outputs is, and its sentence names the index", async () => {
    const page = await comparePrompt(timelineOf(), null);
    await isRead();
    const read = parting?.a ?? -1;
    await waitFor(() => expect(page.selection()).toMatchObject({ index: read + 1, layer: N_LAYERS }));
    expect(await cell()).toHaveTextContent(new RegExp(`A read at index ${read} `));
    const place = `At index ${read + 1} of A and ${(parting?.b ?? -1) + 1} of B`;
    expect(screen.getByText(place).closest("p")).toHaveTextContent(/A predicts .*, B /);
  });

  test("a new pair is opened there as well where a token was selected before", async () => {
    const page = await comparePrompt(timelineOf(), 8);
    await isRead();
    await waitFor(() => expect(page.selection().index).toBe((parting?.a ?? -1) + 1));
  });

  test("a token that is selected stays selected when the view is opened on a pair that was set before", async () => {
    const timeline = timelineOf();
    (await comparePrompt(timeline, 6)).unmount();
    const page = renderView(Compare, timeline, { index: 6 });
    await isRead();
    expect(page.selection().index).toBe(6);
    expect(screen.getByText("At index 6 of A and 7 of B")).toBeVisible();
  });

  test("it is looked at once: whoever goes on is not called back", async () => {
    const page = await comparePrompt(timelineOf(), null);
    await isRead();
    await waitFor(() => expect(page.selection().index).not.toBeNull());
    act(() => page.selection().select(null, null));
    await userEvent.click(screen.getByRole("button", { name: "Table" }));
    expect(page.selection().index).toBeNull();
  });
});
