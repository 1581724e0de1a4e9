import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { NameField } from "./NameField";

let frame: () => void;
beforeEach(() => {
  vi.spyOn(window, "requestAnimationFrame").mockImplementation((callback) => {
    frame = () => callback(0);
    return 1;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

function show() {
  const onDone = vi.fn();
  render(<NameField label="Title" value="Before" onDone={onDone} />);
  return {
    onDone,
    user: userEvent.setup(),
    field: screen.getByRole<HTMLInputElement>("textbox", { name: "Title" }),
  };
}

test("the whole name is selected in the next frame, to be written over", async () => {
  const { onDone, user, field } = show();
  frame();
  expect(field).toHaveFocus();
  await user.keyboard("After{Enter}");
  expect(onDone.mock.calls).toEqual([["After"]]);
});

test("what is written before that frame stays", async () => {
  const { onDone, user, field } = show();
  await user.clear(field);
  await user.keyboard("Af");
  frame();
  await user.keyboard("ter{Enter}");
  expect(onDone.mock.calls).toEqual([["After"]]);
});
