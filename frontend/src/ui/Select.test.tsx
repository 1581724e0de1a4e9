import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { matchMedia } from "@/test/media";
import { Select } from "./Select";

const OPTIONS = [
  { value: "none", label: "nothing" },
  { value: "surprisal", label: "surprisal", hint: "How unexpected the token was" },
  { value: "entropy", label: "entropy", hint: "How uncertain the model was" },
] as const;

function renderSelect(disabledBecause?: string) {
  const onChange = vi.fn();
  render(
    <Select
      label="Colour by"
      value="none"
      options={OPTIONS}
      onChange={onChange}
      disabledBecause={disabledBecause}
    />,
  );
  return { onChange, select: screen.getByRole("combobox", { name: "Colour by" }) };
}

test("each choice of the open list is explained, and the one that holds is marked", async () => {
  const { onChange, select } = renderSelect();
  expect(select).toHaveTextContent("nothing");
  await userEvent.click(select);
  const list = await screen.findByRole("listbox", { name: "Colour by" });
  expect(within(list).getByRole("option", { selected: true })).toHaveAccessibleName("nothing");
  const entropy = within(list).getByRole("option", { name: "entropy" });
  expect(entropy).toHaveAccessibleDescription("How uncertain the model was");
  await userEvent.click(entropy);
  expect(onChange).toHaveBeenCalledExactlyOnceWith("entropy");
  expect(screen.queryByRole("listbox")).not.toBeInTheDocument();
});

test("arrows, letters and Enter choose by keyboard, and the focus returns to the button", async () => {
  const { onChange, select } = renderSelect();
  select.focus();
  await userEvent.keyboard("{ArrowDown}");
  expect(await screen.findByRole("option", { name: "nothing" })).toHaveFocus();
  await userEvent.keyboard("{ArrowDown}");
  expect(screen.getByRole("option", { name: "surprisal" })).toHaveFocus();
  await userEvent.keyboard("e{Enter}");
  expect(onChange).toHaveBeenCalledExactlyOnceWith("entropy");
  expect(screen.getByRole("combobox", { name: "Colour by" })).toHaveFocus();
});

test("Escape closes the list and chooses nothing", async () => {
  const { onChange, select } = renderSelect();
  await userEvent.click(select);
  await screen.findByRole("listbox");
  await userEvent.keyboard("{ArrowDown}{Escape}");
  expect(screen.queryByRole("listbox")).not.toBeInTheDocument();
  expect(onChange).not.toHaveBeenCalled();
});

test("while nothing can be chosen it says why and stays closed", async () => {
  const { select } = renderSelect("No token is pinned");
  expect(select).toHaveAttribute("aria-disabled", "true");
  expect(select).toHaveAccessibleDescription("No token is pinned");
  await userEvent.click(select);
  expect(screen.queryByRole("listbox")).not.toBeInTheDocument();
});

test("where a finger points a press says why nothing can be chosen", async () => {
  matchMedia((query) => query === "(pointer: coarse)");
  const { select } = renderSelect("No token is pinned");
  await userEvent.pointer([{ keys: "[TouchA]", target: select }]);
  expect(screen.getByRole("status")).toHaveTextContent("No token is pinned");
});

test("where a finger points it is the system's picker", async () => {
  matchMedia((query) => query === "(pointer: coarse)");
  const { onChange, select } = renderSelect();
  expect(select).toBeInstanceOf(HTMLSelectElement);
  await userEvent.selectOptions(select, "entropy");
  expect(onChange).toHaveBeenCalledExactlyOnceWith("entropy");
});
