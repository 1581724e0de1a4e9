import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { MODEL } from "@/test/server";
import { FirstRun } from "./FirstRun";

test("three questions are offered, the others on request", async () => {
  const user = userEvent.setup();
  const examples = Array.from({ length: 7 }, (_, i) => ({
    title: `Title ${i}`,
    mode: "chat" as const,
    text: `Prompt ${i}`,
    note: "Look here.",
  }));
  const onRun = vi.fn();
  render(
    <FirstRun model={MODEL} examples={examples} areAwaited={false} onRun={onRun} onStartTour={vi.fn()} />,
  );
  expect(screen.getAllByText(/^Prompt/)).toHaveLength(3);

  await user.click(screen.getByRole("button", { name: "Show 4 more" }));

  expect(screen.getAllByText(/^Prompt/)).toHaveLength(7);
  expect(screen.queryByRole("button", { name: /more$/ })).not.toBeInTheDocument();
  await user.click(screen.getByRole("button", { name: /Prompt 6/ }));
  expect(onRun).toHaveBeenCalledWith(examples[6]);
});
