import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test, vi } from "vitest";
import { madeUpTimeline, madeUpTokens } from "@/test/lensData";
import { fakeServer, renderView } from "@/test/renderView";
import { EvidencePanel } from "./EvidencePanel";
import { type ViewGroup, defineView, withKeys } from "./view";
import { useOpenView } from "./viewGroups";

afterEach(() => vi.unstubAllGlobals());

const tokens = madeUpTokens(3);
const view = (id: string, title: string, group: ViewGroup, refusal: string | null = null) =>
  defineView({
    id,
    title,
    group,
    follows: "text",
    needs: () => refusal,
    load: () =>
      Promise.resolve({
        default: () => <p>The view {title}</p>,
        note: { shows: "", isNot: "", source: { text: "", href: "" } },
      }),
  });
const READ = [view("standard", "Standard", "read"), view("heatmap", "Heatmap", "read")];

function renderPanel(views: typeof READ) {
  const keyed = withKeys(views);
  fakeServer(tokens);
  function Panel() {
    const { viewId, open, openGroup } = useOpenView(keyed);
    return (
      <EvidencePanel
        views={keyed}
        isOpeningAwaited={false}
        viewId={viewId}
        sheetControls={null}
        isMaximised={false}
        onChangeView={open}
        onOpenGroup={openGroup}
        onToggleMaximise={() => undefined}
      />
    );
  }
  renderView(Panel, madeUpTimeline(tokens, "panel"), { index: null });
}

const tabs = (): (string | null)[] => screen.getAllByRole("tab").map((tab) => tab.textContent);

test("one group of views has no name of its own", async () => {
  renderPanel(READ);
  expect(await screen.findByText("The view Standard")).toBeVisible();
  expect(tabs()).toEqual(["Standard", "Heatmap"]);
  expect(screen.queryByRole("button", { name: "Read" })).toBeNull();
});

test("a group shows its own views, and comes back to the one that was open last", async () => {
  renderPanel([...READ, view("patch", "Patch", "change")]);
  await userEvent.click(screen.getByRole("tab", { name: "Heatmap" }));
  await userEvent.click(screen.getByRole("button", { name: "Change" }));
  expect(await screen.findByText("The view Patch")).toBeVisible();
  expect(tabs()).toEqual(["Patch"]);
  expect(screen.queryByRole("button", { name: "Why" })).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Read" }));
  expect(await screen.findByText("The view Heatmap")).toBeVisible();
});

test("a view that the model cannot serve says why", async () => {
  renderPanel([view("attention", "Attention", "why", "This model has no attention heads."), ...READ]);
  expect(await screen.findByText("This model has no attention heads.")).toBeVisible();
  expect(screen.queryByText("The view Attention")).toBeNull();
});
