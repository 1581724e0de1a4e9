import { render, screen, within } from "@testing-library/react";
import { expect, test } from "vitest";
import { HEALTH } from "@/test/server";
import type { Health } from "@/types/schemas";
import { ModelWait } from "./ModelWait";

type Steps = NonNullable<Health["loading"]>;

const STEPS: Steps = [
  { step: "import", status: "done", seconds: 4.21, done_bytes: null, total_bytes: null },
  { step: "find", status: "done", seconds: 0.01, done_bytes: null, total_bytes: null },
  { step: "weights", status: "running", seconds: 6, done_bytes: 1_200_000_000, total_bytes: 2_300_000_000 },
  { step: "pack", status: "waiting", seconds: null, done_bytes: null, total_bytes: null },
  { step: "check", status: "waiting", seconds: null, done_bytes: null, total_bytes: null },
];

test("loading says its steps, the bytes of the one under way, and how long it has taken", () => {
  const health: Health = { ...HEALTH, status: "loading", detail: "Loading the weights.", loading: STEPS };
  render(<ModelWait health={health} refusal={null} />);
  const items = screen.getAllByRole("listitem");
  expect(items.map((item) => item.getAttribute("aria-current"))).toEqual([null, null, "step", null, null]);
  expect(within(items[0] ?? document.body).getByText("4.2 s")).toBeVisible();
  expect(screen.getByText("1.2 GB of 2.3 GB")).toBeVisible();
  expect(screen.getByRole("progressbar", { name: "Weights of the model" })).toHaveAttribute(
    "value",
    "1200000000",
  );
  expect(screen.getByText("10 s so far")).toBeVisible();
});
