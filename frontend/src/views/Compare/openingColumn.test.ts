import { expect, test } from "vitest";
import { align } from "@/features/pair/alignment";
import { repeatsChange } from "@/features/pair/repeats";
import type { Role, Token } from "@/model/timeline";
import { openingColumn } from "./openingColumn";
import { PairColumns } from "./pairColumns";

const PROMPT = ["What", " of", " France", "?"];
const REPLY = [" Of", " France", " is", " Paris", "."];
const ids = new Map<string, number>();
const idOf = (text: string): number => {
  const id = ids.get(text) ?? ids.size;
  ids.set(text, id);
  return id;
};
type Said = Pick<Token, "id" | "text" | "role">;
const said = (texts: readonly string[], role: Role): Said[] =>
  texts.map((text) => ({ id: idOf(text), text, role }));
const inSpain = (text: string): string => ({ " France": " Spain", " Paris": " Madrid" })[text] ?? text;

/** Where the two are opened whose outputs predict what follows, but for `but`: position and predictions of both. */
function opened(a: readonly Said[], b: readonly Said[], but: Record<number, readonly [string, string]> = {}) {
  const alignment = align(
    a.map(({ id }) => id),
    b.map(({ id }) => id),
  );
  // Up to the changed word both prompts are one text.
  const follows = (side: readonly Said[], at: number): string => side[at + 1]?.text ?? ".";
  const predicted = a.map(
    (_, at) => but[at] ?? ([follows(a, at), follows(at < PROMPT.length ? a : b, at)] as const),
  );
  const zeros = [a.map(() => 0)];
  const pairs = new PairColumns();
  pairs.mergeResponse({
    model: "made-up",
    model_identity: { name: "made-up", revision: null, source: "hub" },
    a_tokens: [],
    b_tokens: [],
    a_fired: [],
    b_fired: [],
    layers: [[0, 0]],
    labels: [["0", "0"]],
    positions: a.map((_, at) => [at, at]),
    kl_a_to_b_nats: zeros,
    kl_b_to_a_nats: zeros,
    js_nats: zeros,
    a_top_id: [predicted.map(([text]) => idOf(text))],
    b_top_id: [predicted.map(([, text]) => idOf(text))],
    a_top_probability: zeros,
    b_top_probability: zeros,
    targets: [],
    vocabulary: Object.fromEntries([...ids].map(([text, id]) => [String(id), text])),
    vocabulary_bytes: {},
  });
  return openingColumn({ alignment, pairs, row: 0, a, isRepeat: repeatsChange(alignment, a, b) });
}

const whole = (change: (text: string) => string, reply = REPLY): Said[] => [
  ...said(PROMPT.map(change), "user"),
  ...said(reply.map(change), "assistant"),
];
const same = (text: string): string => text;

test("is the answer, not the changed word that both repeat before it", () => {
  expect(opened(whole(same), whole(inSpain))).toBe(6);
});

test("is a difference in the reply before one in the prompt", () => {
  expect(opened(whole(same), whole(inSpain), { 2: ["?", "."] })).toBe(6);
});

test("is the repeated word where no answer differs, and the prompt where the replies agree", () => {
  expect(opened(whole(same), whole(inSpain), { 6: [".", "."] })).toBe(4);
  expect(opened(whole(same), whole(inSpain), { 2: ["?", "."], 4: ["x", "x"], 6: ["x", "x"] })).toBe(2);
});

test("is what the prompts go on with where there is no reply", () => {
  expect(opened(said(PROMPT, "user"), said(PROMPT.map(inSpain), "user"), { 3: [" Paris", " Madrid"] })).toBe(
    3,
  );
});

test("is none where the predictions agree", () => {
  expect(opened(whole(same), whole(same))).toBe(-1);
});
