import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { useChoices } from "@/features/choices/choices";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { fakeServer, renderView } from "@/test/renderView";
import { STEER, STEERING_SPEC } from "./choices";
import SteerMenu from "./SteerMenu";

const tokens = madeUpTokens(12);
const ACTUAL = { id: 9, text: " Rome" };

afterEach(() => vi.unstubAllGlobals());

/** The menu, with what Steer would open with. */
function shown(tokenId: number, actual: typeof ACTUAL | null) {
  fakeServer(tokens);
  const View = () => {
    const [choices] = useChoices(STEER, STEERING_SPEC, null);
    return (
      <>
        <SteerMenu tokenId={tokenId} text=" Madrid" actual={actual} />
        <output>{JSON.stringify(choices)}</output>
      </>
    );
  };
  renderView(View, madeUpTimeline(tokens, "menu"), { index: null });
}

async function chosen(name: string): Promise<unknown> {
  await userEvent.click(screen.getByRole("button", { name: "Steer ·Madrid" }));
  await userEvent.click(await screen.findByRole("menuitem", { name }));
  return JSON.parse(screen.getByRole("status").textContent);
}

test.each([
  ["Steer towards ·Madrid", { steer: 7, how: "add", strength: 0.1 }],
  ["Steer away from ·Madrid", { steer: 7, how: "add", strength: -0.1 }],
  ["Ablate ·Madrid", { steer: 7, how: "ablate" }],
  ["Swap with ·Rome", { steer: 7, how: "swap", swap: 9 }],
])("%s opens Steer with it", async (name, expected) => {
  shown(7, ACTUAL);
  expect(await chosen(name)).toMatchObject(expected);
});

test("a token is not swapped with itself, or with none", async () => {
  shown(ACTUAL.id, ACTUAL);
  await userEvent.click(screen.getByRole("button", { name: "Steer ·Madrid" }));
  expect(await screen.findAllByRole("menuitem")).toHaveLength(3);
});
