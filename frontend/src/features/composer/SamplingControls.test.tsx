import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test } from "vitest";
import { SettingsProvider } from "@/features/settings/settings";
import { MODEL } from "@/test/server";
import type { ModelInfo } from "@/types/schemas";
import { SamplingControls } from "./SamplingControls";

beforeEach(() => localStorage.clear());

const NEEDS_BOS: ModelInfo = {
  ...MODEL,
  bos_token_id: 2,
  bos_check: { with_nats: 3.12, without_nats: 6.84, n_tokens: 19, is_needed: true },
};

async function open(model: ModelInfo, mode: "chat" | "completion" = "completion") {
  render(
    <SettingsProvider>
      <SamplingControls model={model} mode={mode} isSlim={false} isNew lastSeed={null} />
    </SettingsProvider>,
  );
  await userEvent.click(screen.getByRole("button", { name: /^Sampling/ }));
  return screen.findByRole("switch", { name: "the beginning-of-sequence token" });
}

test("a model that needs the beginning-of-sequence token says so with what was measured, while it is off", async () => {
  const bos = await open(NEEDS_BOS);

  expect(bos).not.toBeChecked();
  expect(
    screen.getByText(/predicts far better after that token.* 3\.12 nats with it, 6\.84 without/),
  ).toBeVisible();
  expect(screen.getByRole("button", { name: /without BOS/ })).toBeVisible();

  await userEvent.click(bos);
  expect(bos).toBeChecked();
  expect(screen.queryByText(/predicts far better/)).toBeNull();
  expect(screen.queryByRole("button", { name: /without BOS/ })).toBeNull();
});

test("a model that does as well without it shows the switch alone", async () => {
  const check = { with_nats: 3.4, without_nats: 3.6, n_tokens: 19, is_needed: false };
  await open({ ...NEEDS_BOS, bos_check: check });

  expect(screen.queryByText(/predicts far better/)).toBeNull();
});

test.each([
  ["chat", false],
  ["completion", true],
] as const)("in %s the switch shows what a new conversation begins with", async (mode, isOn) => {
  const bos = await open({ ...NEEDS_BOS, bos_check: null, adds_bos: true }, mode);

  if (isOn) expect(bos).toBeChecked();
  else expect(bos).not.toBeChecked();
});
