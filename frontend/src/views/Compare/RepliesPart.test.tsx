import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Token } from "@/model/timeline";
import { choose } from "@/test/choose";
import { prompt } from "@/test/compare";
import { MADE_UP, N_LAYERS, idOf, madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { type FakeServer, fakeServer, refusal, renderView } from "@/test/renderView";
import { branch, savedConversation } from "@/test/saved";
import Compare from "./Compare";

/** The reply begins at index 9; A has “ which” at index 10. */
const tokens = madeUpTokens(12);
const written = (index: number, text: string): Token[] =>
  tokens.map((token) =>
    token.index === index ? { ...token, id: idOf(text), text, bytes: btoa(text) } : token,
  );

let server: FakeServer;
let number = 0;
let own = "";
let other = "";

/** The first choices of A and of B at each place, and how probable the token is that came. */
function answers(firstA: string, firstB: string): void {
  server.answer = (request) => {
    const isA = request.conversation_id === own;
    // A text of its own has another reply, which is not one that the model wrote to it.
    const isText = typeof request.conversation_id !== "string";
    const answer = madeUpLens(isText ? written(10, " river") : tokens, request);
    const last = <T,>(rows: T[][], value: T): T[][] =>
      rows.map((row, layer) => (layer === N_LAYERS ? row.map(() => value) : row));
    return Response.json({
      ...answer,
      top_ids: last(answer.top_ids, [idOf(isA ? firstA : firstB), idOf("\n\n")]),
      next_probability: last(answer.next_probability, isA ? 0.412 : 0.107),
      next_rank: last(answer.next_rank, isA ? 1 : 2),
    });
  };
}

beforeEach(() => {
  number += 1;
  [own, other] = [`part-${number}`, `part-other-${number}`];
  server = fakeServer(tokens);
});
afterEach(() => vi.unstubAllGlobals());

function compareWith(b: readonly Token[], index = 3) {
  server.saved = (path) =>
    Response.json(
      savedConversation({
        model: MADE_UP,
        id: path.endsWith(other) ? other : own,
        branches: [branch(own), branch(other)],
        tokens: [...b],
      }),
    );
  return renderView(Compare, madeUpTimeline(tokens, own), { index });
}
const line = () => screen.findByRole("button", { name: /^The replies first differ at/ });
const isRead = () => screen.findByText(/^(\d+) of \1 pairs read/);

test("the place is named with what the model gave to both tokens, and whether each was top-1", async () => {
  answers(" which", " which");
  compareWith(written(10, " river"));
  expect(await line()).toHaveTextContent("The replies first differ at index 10");
  const said = (await line()).parentElement;
  await waitFor(() =>
    expect(said).toHaveTextContent(
      "A has “·which” (probability 0.412, rank 1), B has “·river” (probability 0.107, rank 2).",
    ),
  );
  expect(said).toHaveTextContent(
    "Both have the top-1 prediction “·which”; at least one side sampled another token or was edited.",
  );
  // Both places are read once, and by their conversations.
  const asked = server.asked.filter((each) => each.positions?.[0] === 9);
  expect(asked.map((each) => each.conversation_id).toSorted()).toEqual([own, other].toSorted());
});

test("each is its side’s top-1 prediction", async () => {
  answers(" which", " river");
  compareWith(written(10, " river"));
  const said = (await line()).parentElement;
  await waitFor(() => expect(said).toHaveTextContent(/Each is the top-1 prediction of its side\.$/));
});

test("top-1 predictions that differ are named where the replies have other tokens", async () => {
  answers(" which", " has");
  compareWith(written(10, " river"));
  const said = (await line()).parentElement;
  await waitFor(() =>
    expect(said).toHaveTextContent(/The top-1 predictions differ too: A’s is “·which”, B’s “·has”\.$/),
  );
});

test("pressing it goes there, at the output, by mouse and by keyboard", async () => {
  answers(" which", " which");
  const page = compareWith(written(10, " river"));
  await isRead();
  await userEvent.click(await line());
  await waitFor(() => expect(page.selection()).toMatchObject({ index: 10, layer: N_LAYERS }));
  expect(screen.getByRole("gridcell")).toHaveTextContent(/A read at index 9 .* B read at index 9/);
  screen.getByRole("grid").focus();
  await userEvent.keyboard("{Home}{Enter}");
  await waitFor(() => expect(page.selection().index).toBe(1));
  (await line()).focus();
  await userEvent.keyboard("{Enter}");
  await waitFor(() => expect(page.selection().index).toBe(10));
});

test("where the two are aligned otherwise there is nowhere to go", async () => {
  answers(" which", " which");
  // One token more before the reply: A's last one stands beside another than B's last one.
  const texts = [" been", " a", " centre", " art"];
  const later = tokens.slice(8).map((token, i): Token => {
    const text = texts[i] ?? "";
    return { ...token, id: idOf(text), text, bytes: btoa(text), role: i < 2 ? "template" : "assistant" };
  });
  compareWith([...tokens.slice(0, 8), ...later]);
  expect(await screen.findByText("The replies first differ at index 9 of A and 10 of B")).toBeVisible();
  expect(screen.queryByRole("button", { name: /replies first differ/ })).toBeNull();
});

test("what could not be read has no number and can be read again", async () => {
  server.answer = () => refusal("model_failed", "The model could not be loaded.");
  compareWith(written(10, " river"));
  const said = (await line()).parentElement;
  await waitFor(() => expect(said).toHaveTextContent(/could not be read/));
  expect(said).not.toHaveTextContent(/probability \d|rank|top-1/);
  answers(" which", " which");
  await userEvent.click(screen.getAllByRole("button", { name: "Retry" })[0] ?? document.body);
  await waitFor(() => expect(said).toHaveTextContent(/rank 2/));
});

test("nothing is said of replies that are alike, and of one that is A’s own", async () => {
  answers(" which", " which");
  compareWith(tokens);
  await isRead();
  expect(screen.queryByRole("button", { name: /replies first differ/ })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Change B" }));
  await choose(screen.getByRole("combobox", { name: /B:/ }), "prompt");
  await choose(screen.getByRole("combobox", { name: "B’s reply" }), "forced");
  await userEvent.type(await prompt(), "!{Enter}");
  await isRead();
  expect(screen.queryByRole("button", { name: /replies first differ/ })).toBeNull();
});
