import { screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { Intervention, Timeline } from "@/model/timeline";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { fakeServer, renderView } from "@/test/renderView";
import { SteeredReply } from "./SteeredReply";

const tokens = madeUpTokens(30);
const timeline: Timeline = madeUpTimeline(tokens, "steered-reply");
const CHANGE: Intervention = {
  site: "resid",
  layers: [4],
  heads: null,
  positions: "reply",
  op: { kind: "zero" },
};

afterEach(() => vi.unstubAllGlobals());

function shown(of: Timeline, interventions: readonly Intervention[] | null) {
  fakeServer(tokens);
  const View = ({ timeline: own }: { readonly timeline: Timeline }) => (
    <SteeredReply timeline={own} interventions={interventions} />
  );
  renderView(View, of, { index: 20 });
}

const writing = () => screen.findByRole("button", { name: "Write the reply" });

test("with a change chosen the reply can be written", async () => {
  shown(timeline, [CHANGE]);
  await vi.waitFor(async () => expect(await writing()).toBeEnabled());
  expect(screen.queryByRole("button", { name: "Write it plainly" })).not.toBeInTheDocument();
});

test.each([
  ["Choose a token first", timeline, null],
  ["There is no reply yet", { ...timeline, turns: [] }, [CHANGE]],
  ["The conversation is being saved", { ...timeline, conversationId: null }, [CHANGE]],
] as const)("it says why nothing can be written: %s", async (reason, of, interventions) => {
  shown(of, interventions);
  await vi.waitFor(async () => expect(await writing()).toHaveAccessibleDescription(reason));
});

test("a steered branch can be written plainly as well", async () => {
  shown({ ...timeline, steering: { interventions: [CHANGE], reply_start: 20 } }, [CHANGE]);
  expect(await screen.findByRole("button", { name: "Write it plainly" })).toBeInTheDocument();
});
