import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { formatSigned } from "@/model/format";
import { madeUpAttribution } from "@/test/attributionData";
import { madeUpLens, madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { fakeServer, refusal, renderView } from "@/test/renderView";
import Attribution from "./Attribution";

const tokens = madeUpTokens(30);
const timeline = madeUpTimeline(tokens, "ablation");
const INDEX = 9;

afterEach(() => vi.unstubAllGlobals());

async function selectBlock() {
  await userEvent.click(await screen.findByRole("row", { name: /^Block 7:/ }));
  return within(await screen.findByRole("region", { name: "Ablate block 7" }));
}

test("the selected block is taken away at the token that is read, beside what it adds directly", async () => {
  const server = fakeServer(tokens);
  // The ablated run has half the target's probability.
  server.answer = (request) => {
    const answer = madeUpLens(tokens, request);
    const share = (request.interventions ?? []).length > 0 ? 0.5 : 1;
    const probability = answer.targets.map((_, i) => answer.layers.map(() => [i === 0 ? 0.4 * share : 0.2]));
    return Response.json({
      ...answer,
      fired: [],
      targets: answer.targets.map((target, i) => ({ ...target, probability: probability[i] })),
    });
  };
  renderView(Attribution, timeline, { index: INDEX });
  const ablation = await selectBlock();
  const asked = server.asked.length;
  await userEvent.click(ablation.getByRole("radio", { name: "Zero" }));
  const plain = Math.log(2);
  expect(await ablation.findByText(/a change of/)).toHaveTextContent(
    `logit difference ${formatSigned(plain)} → ${formatSigned(0)}: a change of ${formatSigned(-plain)}`,
  );
  const own = madeUpAttribution(tokens, { position: INDEX - 1, target: null, foil: "best", unit: "head" })
    .parts.filter(({ block }) => block === 7)
    .reduce((sum, { contribution }) => sum + contribution, 0);
  expect(ablation.getByText(/a change of/)).toHaveTextContent(`directly it adds ${formatSigned(own)}.`);
  // Beside the change stands the one that was to be expected, and what lies between the two.
  const figures = ablation.getAllByRole("definition").map(({ textContent }) => textContent);
  expect(figures).toEqual([formatSigned(-own), formatSigned(-plain)]);
  const isRepair = (own - plain) * own > 0;
  expect(ablation.getByText(/^Later parts and the final norm/)).toHaveTextContent(
    `account for the other ${formatSigned(own - plain)}${isRepair ? ": self-repair" : ""}.`,
  );
  expect(server.asked.slice(asked).map(({ interventions }) => interventions)).toEqual([
    [],
    [
      { site: "attn", layers: [7], heads: null, positions: [INDEX - 1], op: { kind: "zero" } },
      { site: "mlp", layers: [7], heads: null, positions: [INDEX - 1], op: { kind: "zero" } },
    ],
  ]);
  await userEvent.click(ablation.getByRole("radio", { name: "MLP" }));
  await userEvent.click(ablation.getByRole("radio", { name: "Mean" }));
  // What replaces it also adds to the difference, so no change is expected of the direct part.
  expect(await ablation.findByText(/a change of/)).toHaveTextContent(
    /directly it adds .* what replaces it also adds/,
  );
  expect(ablation.queryByText(/expected/i)).not.toBeInTheDocument();
  expect(server.asked.at(-1)?.interventions).toEqual([
    { site: "mlp", layers: [7], heads: null, positions: [INDEX - 1], op: { kind: "mean" } },
  ]);
});

test("a part that cannot be changed on this model says why", async () => {
  const server = fakeServer(tokens);
  server.sites = {
    ...server.sites,
    mlp: { available: false, reason: "Its MLP is not found.", max_abs_diff: null },
  };
  renderView(Attribution, timeline, { index: INDEX });
  const ablation = await selectBlock();
  expect(ablation.getByText("Not on this model: Its MLP is not found.")).toBeInTheDocument();
  expect(ablation.queryByRole("radio", { name: "Zero" })).not.toBeInTheDocument();
  await userEvent.click(ablation.getByRole("radio", { name: "Attention" }));
  expect(ablation.getByRole("radio", { name: "Zero" })).toBeInTheDocument();
});

test("a run that fails says what the server says", async () => {
  const server = fakeServer(tokens);
  server.answer = () => refusal("unsupported_intervention", "Nothing can be changed there.", 422);
  renderView(Attribution, timeline, { index: INDEX });
  const ablation = await selectBlock();
  await userEvent.click(ablation.getByRole("radio", { name: "Zero" }));
  expect(await ablation.findByRole("alert")).toHaveTextContent("Nothing can be changed there.");
});
