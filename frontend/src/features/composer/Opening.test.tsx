import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { SettingsProvider } from "@/features/settings/settings";
import { Opening } from "./Opening";

test("the system prompt is seen above the draft, and edited from there", async () => {
  render(<Opening mode="chat" onChangeMode={vi.fn()} />, { wrapper: SettingsProvider });
  await userEvent.click(screen.getByRole("button", { name: "System: default" }));
  await userEvent.type(await screen.findByRole("textbox", { name: "System prompt" }), "Answer in verse.");
  await userEvent.keyboard("{Escape}");
  expect(screen.getByRole("button", { name: "System: Answer in verse." })).toBeVisible();
});

test("raw text has no system prompt", async () => {
  const onChangeMode = vi.fn();
  const { rerender } = render(<Opening mode="chat" onChangeMode={onChangeMode} />, {
    wrapper: SettingsProvider,
  });
  await userEvent.click(screen.getByRole("radio", { name: "Completion" }));
  expect(onChangeMode).toHaveBeenCalledExactlyOnceWith("completion");
  rerender(<Opening mode="completion" onChangeMode={onChangeMode} />);
  expect(screen.queryByRole("button", { name: /^System/ })).not.toBeInTheDocument();
});
