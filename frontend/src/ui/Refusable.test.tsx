import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Refusable } from "./Refusable";

const REASON = "The model is busy with the reply";

function renderSend() {
  const onClick = vi.fn();
  const send = (because: string | null) => (
    <Refusable because={because}>
      <button type="button" onClick={onClick}>
        Send
      </button>
    </Refusable>
  );
  const { rerender } = render(send(REASON));
  return { onClick, allow: () => rerender(send(null)), button: screen.getByRole("button", { name: "Send" }) };
}

test("a refused button can be reached, is described by its reason, and shows it when it is pressed", async () => {
  const { onClick, button } = renderSend();
  await userEvent.tab();
  expect(button).toHaveFocus();
  expect(button).toHaveAttribute("aria-disabled", "true");
  expect(button).toHaveAccessibleDescription(REASON);
  expect(screen.queryByRole("status")).not.toBeInTheDocument();
  await userEvent.keyboard("{Enter}");
  expect(screen.getByRole("status")).toHaveTextContent(REASON);
  await userEvent.keyboard("{Escape}");
  expect(screen.queryByRole("status")).not.toBeInTheDocument();
  await userEvent.pointer([{ keys: "[TouchA]", target: button }]);
  expect(screen.getByRole("status")).toHaveTextContent(REASON);
  expect(onClick).not.toHaveBeenCalled();
});

test("it acts, and keeps the focus, as soon as nothing speaks against it", async () => {
  const { onClick, allow, button } = renderSend();
  await userEvent.click(button);
  allow();
  expect(button).toHaveFocus();
  expect(button).not.toHaveAttribute("aria-disabled");
  expect(screen.queryByRole("status")).not.toBeInTheDocument();
  await userEvent.keyboard("{Enter}");
  expect(onClick).toHaveBeenCalledOnce();
});
