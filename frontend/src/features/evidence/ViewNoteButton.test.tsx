import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { VIEWS } from "@/app/views";
import { writeStored } from "@/base/stored";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { fakeServer, renderView } from "@/test/renderView";
import { ViewNoteButton } from "./ViewNoteButton";

afterEach(() => vi.unstubAllGlobals());

const tokens = madeUpTokens(3);

test.each(VIEWS.map((view) => [view.title, view] as const))(
  "%s states its limitations, with their source",
  async (_, view) => {
    fakeServer(tokens);
    renderView(() => <ViewNoteButton view={view} />, madeUpTimeline(tokens, "note"), { index: null });
    await userEvent.click(screen.getByRole("button", { name: "Limitations" }));
    const { isNot, source } = await view.note();
    expect(await screen.findByText(isNot)).toBeVisible();
    const link = screen.getByRole("link");
    expect(link).toHaveAttribute("href", source.href);
    expect(source.text).toMatch(/\b20\d\d\b/);
  },
);

test("a fitted lens has its own caution and source", async () => {
  writeStored("settings", { lens: "jacobian" });
  fakeServer(tokens).lenses.push({
    kind: "jacobian",
    fitted_tokens: 10,
    origin: "shipped",
    beats_controls: null,
    unfitted_layers: [],
  });
  const [view] = VIEWS;
  if (view === undefined) throw new Error("no view");
  renderView(() => <ViewNoteButton view={view} />, madeUpTimeline(tokens, "note"), { index: null });
  await userEvent.click(screen.getByRole("button", { name: "Limitations" }));
  expect(await screen.findByRole("heading", { name: "The Jacobian lens" })).toBeVisible();
  expect(screen.getAllByRole("link").map((link) => link.getAttribute("href"))).toContain(
    "https://transformer-circuits.pub/2026/workspace/index.html",
  );
});
