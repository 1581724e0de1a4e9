import { MODEL } from "@/test/server";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import { FigureTooLarge } from "@/charts/figure/figure";
import { textElement } from "@/charts/figure/svg";
import { exportSource } from "@/test/exportSource";
import FigureDialog from "./FigureDialog";
import { timelineScript } from "./timelineScript";
import type { ViewExport } from "./viewExport";

const drawn = vi.fn<ViewExport["draw"]>();
const VIEW: ViewExport = {
  title: "Layers by tokens",
  facts: ["Read at index 3"],
  place: "3",
  table: { columns: [], rows: [] },
  columns: { of: "Index", all: { start: 0, end: 20 }, shown: { start: 4, end: 9 } },
  draw: drawn,
  places: [],
  script: () => timelineScript([], MODEL),
};
const open = (view: ViewExport = VIEW) =>
  render(<FigureDialog request={{ viewExport: view, source: exportSource([]) }} onClose={vi.fn()} />);
const latest = () => drawn.mock.lastCall?.[0];

beforeEach(() => {
  localStorage.clear();
  drawn.mockReset();
  drawn.mockImplementation(({ width }) => ({ width, height: 100, svg: textElement(0, 10, "drawn") }));
  vi.stubGlobal("fetch", () => Promise.resolve(new Response(new Uint8Array([1]))));
  URL.createObjectURL = vi.fn(() => "blob:figure");
  URL.revokeObjectURL = vi.fn();
});

test("it opens with what is on the screen at the width of a column, and says how large the figure is", async () => {
  open();
  expect(await screen.findByRole("img", { name: "Layers by tokens" })).toBeVisible();
  expect(latest()).toMatchObject({ theme: "light", columns: { start: 4, end: 9 } });
  expect(screen.getByText(/^85 × \d+ mm; PNG 1004 × \d+ pixels; SVG \d+ kB$/)).toBeVisible();
  expect(screen.getByRole("button", { name: "Save PNG" })).toBeEnabled();
});

test("what is chosen is drawn, and remembered for the next figure", async () => {
  const user = userEvent.setup();
  const { unmount } = open();
  await user.click(screen.getByRole("radio", { name: "Page" }));
  await user.click(screen.getByRole("radio", { name: "Dark" }));
  await user.click(screen.getByRole("switch", { name: "Caption" }));
  expect(await screen.findByText(/^170 × \d+ mm/)).toBeVisible();
  expect(latest()?.theme).toBe("dark");
  unmount();
  open();
  expect(screen.getByRole("radio", { name: "Page" })).toBeChecked();
  expect(screen.getByRole("radio", { name: "Dark" })).toBeChecked();
  expect(screen.getByRole("switch", { name: "Caption" })).not.toBeChecked();
  expect(screen.getByRole("switch", { name: "Title" })).toBeChecked();
});

test("the range takes both of its ends, and leaves the figure as it is while it is no range", async () => {
  const user = userEvent.setup();
  open();
  const to = screen.getByRole("textbox", { name: "to" });
  expect(to).toHaveValue("8");
  await user.clear(to);
  expect(to).toBeInvalid();
  expect(latest()?.columns).toEqual({ start: 4, end: 9 });
  await user.type(to, "12");
  expect(to).toBeValid();
  expect(latest()?.columns).toEqual({ start: 4, end: 13 });
  await user.click(screen.getByRole("button", { name: "All" }));
  expect(latest()?.columns).toEqual({ start: 0, end: 20 });
});

test("a figure that is too large says what to choose instead, and cannot be saved", async () => {
  drawn.mockImplementation(() => {
    throw new FigureTooLarge("Choose at most 40 columns.");
  });
  open();
  expect(await screen.findByRole("alert")).toHaveTextContent("Choose at most 40 columns.");
  expect(screen.getByRole("button", { name: "Save PNG" })).toBeDisabled();
  expect(screen.getByRole("button", { name: "Save SVG" })).toBeDisabled();
});

test("a figure higher than a page is warned about", async () => {
  drawn.mockImplementation(({ width }) => ({ width, height: 800, svg: "" }));
  open({ ...VIEW, columns: null });
  expect(await screen.findByText(/^Higher than a page \(240 mm\): take the page's width\.$/)).toBeVisible();
});
