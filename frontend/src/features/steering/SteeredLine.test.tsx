import { screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { Intervention } from "@/model/timeline";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { fakeServer, renderView } from "@/test/renderView";
import SteeredLine from "./SteeredLine";

const tokens = madeUpTokens(12);

afterEach(() => vi.unstubAllGlobals());

const at = (more: Partial<Intervention>): Intervention => ({
  site: "resid",
  layers: [4, 5],
  heads: null,
  positions: "reply",
  op: { kind: "zero" },
  ...more,
});

test.each([
  [at({}), /sets to zero at layers 4–5 in the reply/],
  [
    at({ site: "head", layers: [9], heads: [2], op: { kind: "mean" } }),
    /sets to the mean at the head 2 of block 9 in the reply/,
  ],
  [
    at({ site: "head", positions: [7], op: { kind: "knock_out", sources: [3] } }),
    /removes attention to one token .* at index 7/,
  ],
  [
    at({ op: { kind: "add", direction: { kind: "random", seed: 1 }, strength: -0.25 } }),
    /adds −0\.25 × a random direction/,
  ],
] as const)("what a branch is computed under stands above it, in words (%#)", async (one, words) => {
  fakeServer(tokens);
  const View = () => <SteeredLine steering={{ interventions: [one], reply_start: 6 }} />;
  renderView(View, madeUpTimeline(tokens, "line"), { index: null });
  const line = await screen.findByRole("region", { name: "Interventions" });
  expect(line).toHaveTextContent(words);
});
