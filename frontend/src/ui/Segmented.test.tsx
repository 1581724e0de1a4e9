import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";
import { Segmented } from "./Segmented";

const OPTIONS = [
  { value: "a", label: "First" },
  { value: "b", label: "Second" },
  { value: "c", label: "Third" },
] as const;

function Chosen() {
  const [value, setValue] = useState<"a" | "b" | "c">("b");
  return <Segmented label="Order" value={value} options={OPTIONS} onChange={setValue} />;
}

const checked = () => screen.getByRole("radio", { checked: true }).textContent;

test("is one stop for Tab, at the option that is chosen, and arrows choose around the ends", async () => {
  render(<Chosen />);
  await userEvent.tab();
  expect(screen.getByRole("radio", { name: "Second" })).toHaveFocus();
  await userEvent.keyboard("{ArrowRight}");
  expect(checked()).toBe("Third");
  await userEvent.keyboard("{ArrowDown}");
  expect(checked()).toBe("First");
  expect(screen.getByRole("radio", { name: "First" })).toHaveFocus();
  await userEvent.keyboard("{ArrowUp}");
  expect(checked()).toBe("Third");
  await userEvent.keyboard("{Home}");
  expect(checked()).toBe("First");
  await userEvent.keyboard("{Alt>}{ArrowLeft}{/Alt}");
  expect(checked()).toBe("First");
  await userEvent.tab();
  expect(document.body).toHaveFocus();
});

test("a click chooses", async () => {
  render(<Chosen />);
  await userEvent.click(screen.getByRole("radio", { name: "First" }));
  expect(checked()).toBe("First");
});
