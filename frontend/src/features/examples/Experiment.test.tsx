import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ViewProps } from "@/features/evidence/view";
import type { Intervention, Timeline } from "@/model/timeline";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { type FakeServer, fakeServer, renderView } from "@/test/renderView";
import type { Example } from "./examples";
import { isUnder } from "./experiment";
import ExperimentResult from "./ExperimentResult";
import { ExperimentStep } from "./ExperimentStep";

const ZERO: Intervention = {
  site: "mlp",
  layers: [2],
  heads: null,
  positions: "all",
  op: { kind: "zero" },
};
const tokens = madeUpTokens(12).map((token) =>
  token.index === 8 ? { ...token, text: " hot", logprob_nats: Math.log(0.5) } : token,
);
const EXPERIMENT = {
  question: "The MLP of block 2 writes nothing. What comes next?",
  choices: [" cold", " hot", " the"],
  before: { text: " cold", probability: 0.77 },
  after: { text: " hot", probability: 0.5 },
  interventions: [ZERO],
  note: "This MLP is needed.",
};
const EXAMPLE: Example = {
  title: "Take away an MLP",
  mode: "completion",
  text: "The opposite of hot is",
  watch: " cold",
  note: "Look.",
  experiment: EXPERIMENT,
};
const plain = { ...madeUpTimeline(tokens, "c"), turns: madeUpTimeline(tokens, "c").turns.slice(0, 1) };
const steered: Timeline = {
  ...plain,
  turns: plain.turns.map((turn) => ({ ...turn, replyStart: 8 })),
  steering: { interventions: [ZERO], reply_start: 8 },
};
const onShowView = vi.fn();
const onBack = vi.fn();
let server: FakeServer;

beforeEach(() => {
  server = fakeServer(tokens);
});
afterEach(() => vi.unstubAllGlobals());

const Step = () => <ExperimentStep example={EXAMPLE} experiment={EXPERIMENT} replyStart={8} />;
const Result = ({ timeline }: ViewProps) => (
  <ExperimentResult
    example={EXAMPLE}
    experiment={EXPERIMENT}
    timeline={timeline}
    originId="origin"
    onShowView={onShowView}
    onBack={onBack}
  />
);

test("what is expected runs the change, and stands beside what came of it", async () => {
  const user = userEvent.setup();
  const { unmount } = renderView(Step, plain, { index: 8 });
  expect(screen.getByRole("group", { name: "Change it" })).toHaveTextContent(EXPERIMENT.question);
  await user.click(screen.getByRole("button", { name: /cold/ }));
  await waitFor(() => expect(server.chats).toHaveLength(1));
  expect(server.chats[0]?.interventions).toEqual([ZERO]);
  expect(server.chats[0]?.sampling?.temperature).toBe(0);
  unmount();

  renderView(Result, steered, { index: 8 });
  const result = screen.getByRole("region", { name: "What came of it" });
  expect(result).toHaveTextContent(/You expected “·cold”/);
  expect(result).toHaveTextContent(
    /It says “·hot” with probability 0\.500; without the change “·cold”, 0\.770/,
  );
  expect(result).toHaveTextContent(EXPERIMENT.note);
  await user.click(screen.getByRole("button", { name: "Compare both, layer by layer" }));
  expect(onShowView).toHaveBeenCalledWith("compare");
  await user.click(screen.getByRole("button", { name: "Back to the reply without it" }));
  expect(onBack).toHaveBeenCalledOnce();
});

test("an answer that is not the measured one is told without the note", () => {
  const other = tokens.map((token) => (token.index === 8 ? { ...token, text: " blue" } : token));
  renderView(Result, { ...steered, tokens: other }, { index: 8 });
  const result = screen.getByRole("region", { name: "What came of it" });
  expect(result).toHaveTextContent(/It says “·blue”/);
  expect(result).not.toHaveTextContent(EXPERIMENT.note);
});

test("only a branch under the very change is the experiment's", () => {
  expect(isUnder(EXPERIMENT, steered)).toBe(true);
  expect(isUnder(EXPERIMENT, plain)).toBe(false);
  const weaker: Timeline = {
    ...steered,
    steering: { interventions: [{ ...ZERO, layers: [3] }], reply_start: 8 },
  };
  expect(isUnder(EXPERIMENT, weaker)).toBe(false);
});
