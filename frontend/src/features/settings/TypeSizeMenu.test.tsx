import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { storedName } from "@/base/stored";
import { TypeSizeMenu } from "./TypeSizeMenu";

afterEach(() => document.documentElement.removeAttribute("data-type"));

test("larger type is chosen from three sizes, holds at once and is remembered", async () => {
  render(<TypeSizeMenu />);
  await userEvent.click(screen.getByRole("button", { name: "Type size" }));
  expect(await screen.findByRole("radio", { name: "100 %" })).toBeChecked();
  await userEvent.click(screen.getByRole("radio", { name: "150 %" }));
  expect(screen.getByRole("radio", { name: "150 %" })).toBeChecked();
  expect(document.documentElement).toHaveAttribute("data-type", "150");
  expect(window.localStorage.getItem(storedName("type"))).toBe("150");
});
