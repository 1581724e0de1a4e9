import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { App } from "./App";

test("the page names the product", () => {
  render(<App />);
  expect(screen.getByRole("heading", { name: "Mechanistic Explorer" })).toBeInTheDocument();
});
