/** Branches that were computed under interventions, taken away: their programs make the same interventions. */
import { type Schemas, conversationOf, get, post } from "./api";
import { exported, run } from "./exported";
import { expect, test } from "./page";

type Intervention = Schemas["Intervention"];

/** The site and the operation of each; the tokens are ids of any two words. */
const everyKind = (one: number, other: number, foreign: number[]): Intervention[] => [
  {
    site: "resid",
    layers: [4, 5],
    positions: "reply",
    op: { kind: "add", direction: { kind: "token", token_id: one }, strength: 0.2 },
  },
  {
    site: "resid",
    layers: [3],
    positions: "prompt",
    op: {
      kind: "project_out",
      direction: { kind: "contrast", plus: ["I like it", "So good"], minus: ["No"] },
    },
  },
  {
    site: "resid",
    layers: [6],
    positions: "all",
    op: {
      kind: "exchange",
      directions: [
        { kind: "lens", lens: "jacobian", token_id: one },
        { kind: "lens", lens: "jacobian", token_id: other },
      ],
    },
  },
  {
    site: "resid",
    layers: [0],
    positions: [2],
    op: { kind: "add", direction: { kind: "random", seed: 5 }, strength: 0.3 },
  },
  {
    site: "resid",
    layers: [12],
    positions: "reply",
    op: { kind: "project_out", direction: { kind: "token", token_id: other } },
  },
  {
    site: "resid",
    layers: [2],
    positions: [4, 3],
    op: { kind: "replace", from: { token_ids: foreign }, positions: [1, 2] },
  },
  { site: "attn", layers: [6], positions: "reply", op: { kind: "zero" } },
  { site: "mlp", layers: [9], positions: "reply", op: { kind: "mean" } },
  { site: "head", layers: [11], heads: [1], positions: "reply", op: { kind: "zero" } },
  { site: "head", layers: [10], heads: [0, 2], positions: "prompt", op: { kind: "mean" } },
  { site: "head", layers: [8, 11], heads: [0], positions: "reply", op: { kind: "knock_out", sources: [4] } },
];

test("the program of a comparison makes every kind of change in one of the two runs only", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "4" });
  await explorer.say("The capital of France is");
  const plainId = await conversationOf(page);
  const plain = await get<Schemas["SavedConversation"]>(page, `/api/conversations/${plainId}`);
  const start = plain.turns[0]?.reply_start ?? 0;
  const ids = plain.tokens.map(({ id }) => id);
  const [one = 0, other = 0] = [ids[start], ids[start - 2]];
  const steered = await post<Schemas["ChatResponse"]>(page, "/api/chat", {
    messages: [],
    conversation_id: plainId,
    from_index: start,
    interventions: everyKind(one, other, [...ids].reverse()),
    sampling: { temperature: 0, max_new_tokens: 4 },
  });
  await explorer.open(`?c=${steered.conversation_id}&view=compare&vs=branch.${plainId}`);
  await expect(explorer.evidence.getByText(/^(\d+) of \1 pairs read/)).toBeVisible();

  const { path } = await exported(page, /^Python script/);
  const { code, output } = await run(path);
  expect(output).toMatch(/All \d+ numbers are those of the page, to 0\.0001\./);
  expect(code).toBe(0);
});

test("the program of a dose curve measures it again, with its control", async ({ explorer, page }) => {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "2" });
  await explorer.say("The capital of France is");
  await explorer.open(`?c=${await conversationOf(page)}&view=steer&steer=306&touch=all`);
  await expect(explorer.evidence.getByRole("slider", { name: "Strength", exact: true })).toHaveAttribute(
    "aria-busy",
    "false",
  );
  const { path, name } = await exported(page, /^Python script/);
  expect(name).toMatch(/_steer_/);
  const { code, output } = await run(path);
  expect(output).toMatch(/All 26 numbers are those of the page, to 0\.0001\./);
  expect(code).toBe(0);
});
