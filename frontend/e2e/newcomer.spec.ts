/** A newcomer's first visit: the answered example and its evidence, as much of it in view as each window has room for. */
import { type APIRequestContext, type Locator, type Page, type TestInfo } from "@playwright/test";
import { BREAKPOINTS_REM } from "../src/ui/breakpoints";
import type { Schemas } from "./api";
import { ExplorerPage, expect, test } from "./page";
import { workerUrl } from "./server";

/** Rows of Standard that are in view as a whole, and not below what sticks to its top. */
const rowsInView = ({ evidence }: ExplorerPage): Promise<number> =>
  evidence
    .getByRole("table")
    .first()
    .evaluate((table) => {
      const head = table.querySelector("thead")?.getBoundingClientRect().bottom ?? 0;
      return Array.from(table.querySelectorAll("[data-part=layer]")).filter((row) => {
        const { top, bottom, left } = row.getBoundingClientRect();
        const middle = document.elementFromPoint(left + 8, (top + bottom) / 2);
        return top >= head - 1 && bottom <= window.innerHeight && row.contains(middle);
      }).length;
    });

/** The texts of the chips of each row, and those that are cut off by their chip. */
const chips = ({ evidence }: ExplorerPage) =>
  evidence
    .getByRole("table")
    .first()
    .evaluate((table) => {
      const rows = Array.from(table.querySelectorAll("[data-part=layer]"), (row) =>
        Array.from(row.querySelectorAll("li bdi")),
      );
      return {
        texts: rows.map((row) => row.map((text) => text.textContent)),
        cut: rows.flat().filter((text) => text.scrollWidth > text.clientWidth + 1).length,
      };
    });

/** px: the heads of the columns, at the top of the grid. */
const HEATMAP_HEAD = 56;

/** Rows of the heatmap's grid that are in view, its heads left out. */
const heatmapRowsInView = async ({ evidence }: ExplorerPage): Promise<number> =>
  evidence.getByRole("grid").evaluate((grid, head) => {
    const { top } = grid.getBoundingClientRect();
    const seen = Math.min(top + grid.clientHeight, window.innerHeight) - top;
    const rows = Number(grid.getAttribute("aria-rowcount"));
    return rows * Math.min(1, (seen - head) / (grid.scrollHeight - head));
  }, HEATMAP_HEAD);

declare global {
  interface Window {
    layoutShift: number;
  }
}

/** Adds up how far what is shown is moved by what comes later (Cumulative Layout Shift, 0 for not at all). */
const watchLayout = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    window.layoutShift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if ("value" in entry) window.layoutShift += Number(entry.value);
      }
    }).observe({ type: "layout-shift", buffered: true });
  });
/** Numbers whose digits change their place in a cell come to half of it. */
const NOTHING_MOVED = 0.01;

/** Leaves nothing saved on the server, as before anybody's first visit. */
async function forgetAll(request: APIRequestContext): Promise<void> {
  const list = `${workerUrl()}/api/conversations`;
  for (;;) {
    const answer = (await (await request.get(list)).json()) as Schemas["ConversationList"];
    if (answer.conversations.length === 0) return;
    for (const { conversation_id } of answer.conversations)
      await request.delete(`${list}/${conversation_id}`);
  }
}

/** Nothing is asserted of them, and they take as long as what is. */
const TAKES_PICTURES = process.env["EXPLORER_E2E_PICTURES"] !== undefined;

/** Pictures of the page in both themes, among the test's results, where EXPLORER_E2E_PICTURES asks for them. */
async function photograph(page: Page, info: TestInfo, name: string): Promise<void> {
  if (!TAKES_PICTURES) return;
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    await expect(page.locator("html")).toHaveAttribute("data-theme", colorScheme);
    await page.screenshot({ path: info.outputPath(`${name}-${colorScheme}.png`), animations: "disabled" });
  }
}

const SIZES = [
  { name: "a desk", width: 1440, height: 900, rows: 13, withDetail: 12, heatmap: 13, asks: "mouse" },
  { name: "a small laptop", width: 1280, height: 720, rows: 13, withDetail: 9, heatmap: 13 },
  { name: "a desk at 150 %", width: 960, height: 600, zoom: 1.5, rows: 9, withDetail: 6, heatmap: 8 },
  { name: "a small laptop at 150 %", width: 853, height: 480, zoom: 1.5, rows: 6, withDetail: 6, heatmap: 6 },
  {
    name: "a phone",
    width: 390,
    height: 844,
    zoom: 2,
    rows: 5,
    withDetail: 5,
    heatmap: 5,
    folded: 8,
    asks: "finger",
  },
] as const;

const PX_PER_REM = 16;
/** Below it the evidence is a sheet over the conversation. */
const SHEET_BELOW_PX = BREAKPOINTS_REM.md * PX_PER_REM;
/** A lower window has no room for a text above its evidence. */
const SHARED_FROM_PX = BREAKPOINTS_REM.short * PX_PER_REM;
/** px: the least height of a row whose text can be read. */
const TEXT_ROW = 15;

for (const { name, width, height, rows, withDetail, heatmap, ...size } of SIZES) {
  test.describe(`on ${name}, ${width} × ${height}`, () => {
    test.use({
      viewport: { width, height },
      deviceScaleFactor: "zoom" in size ? size.zoom : 1,
      ...(width < 500 ? { hasTouch: true, isMobile: true } : {}),
    });

    test("a first visit shows an answer and its evidence, with room for the layers", async ({
      page,
      request,
    }, info) => {
      await forgetAll(request);
      const explorer = new ExplorerPage(page);
      const { evidence } = explorer;
      const table = evidence.getByRole("table").first();
      const fitsTheWindow = async (): Promise<void> =>
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      await watchLayout(page);
      await page.goto(workerUrl());
      await expect(
        page.getByRole("heading", { name: "Watch a language model make up its mind" }),
      ).toBeVisible();
      const paris = explorer.tokens.filter({ hasText: "Paris" }).last();
      // The last that comes.
      await expect(page.getByText("where the token can be read off")).toBeAttached();
      expect(await page.evaluate(() => window.layoutShift)).toBeLessThan(NOTHING_MOVED);
      // Scroll bars are hidden here, so that none could move the text.
      await expect(paris.locator("xpath=ancestor::div[contains(@class, 'overflow-y-auto')][1]")).toHaveCSS(
        "scrollbar-gutter",
        "stable",
      );
      if (width < SHEET_BELOW_PX) {
        // The evidence would cover the text that is to be read first.
        await expect(paris).toBeVisible();
        await photograph(page, info, "first");
        await paris.click();
      } else {
        await expect(page.getByRole("tab", { name: "Trajectories" })).toHaveAttribute(
          "aria-selected",
          "true",
        );
        await expect(evidence.getByRole("figure").first()).toBeInViewport();
        await photograph(page, info, "first");
      }
      await expect(paris).toHaveAttribute("aria-selected", "true");
      if (height >= SHARED_FROM_PX) await expect(paris).toBeInViewport({ ratio: 1 });
      for (const title of ["Standard", "Heatmap", "Trajectories", "Layers", "Compare"]) {
        await expect(page.getByRole("tab", { name: title })).toBeInViewport({ ratio: 1 });
      }
      await fitsTheWindow();

      await page.getByRole("tab", { name: "Standard" }).click();
      await expect(table).toHaveAttribute("aria-busy", "false");
      await expect.poll(() => rowsInView(explorer)).toBeGreaterThanOrEqual(withDetail);
      const { texts, cut } = await chips(explorer);
      expect(cut).toBe(0);
      for (const row of texts) {
        expect(row.length).toBeGreaterThanOrEqual(3);
        expect(new Set(row).size).toBe(row.length);
      }
      await photograph(page, info, "standard");
      await fitsTheWindow();
      const details = evidence.getByRole("region", { name: "Selected layer" });
      // They may come after the rows.
      await expect
        .poll(async () => {
          if (await details.isVisible()) {
            await details.getByRole("button", { name: "Close the details" }).click();
          }
          return rowsInView(explorer);
        })
        .toBeGreaterThanOrEqual(rows);
      if (width < SHEET_BELOW_PX && "folded" in size) {
        // Scrolled down, what stands above the rows gives them its room, and comes back with scrolling up.
        await table.locator("[data-part=layer]").first().hover();
        await page.mouse.wheel(0, 150);
        await expect(page.getByRole("tab", { name: "Standard" })).not.toBeInViewport();
        await expect.poll(() => rowsInView(explorer)).toBeGreaterThanOrEqual(size.folded);
        await photograph(page, info, "scrolled");
        await page.mouse.wheel(0, -60);
        await expect(page.getByRole("tab", { name: "Standard" })).toBeInViewport({ ratio: 1 });
      }
      if (width === 1440) {
        // A model of 24 blocks has room for its 25 layers in text that can be read.
        const { y = 0 } = (await table.locator("[data-part=layer]").first().boundingBox()) ?? {};
        expect((height - y) / TEXT_ROW).toBeGreaterThan(25);
      }

      for (const view of ["Heatmap", "Trajectories", "Layers"]) {
        await page.getByRole("tab", { name: view }).click();
        await expect(page.getByRole("tabpanel", { name: view })).toBeVisible();
        await expect(evidence.getByText(/^(Opening|Reading)/)).toHaveCount(0);
        if (view === "Heatmap")
          await expect.poll(() => heatmapRowsInView(explorer)).toBeGreaterThanOrEqual(heatmap);
        await fitsTheWindow();
        await photograph(page, info, view.toLowerCase());
      }

      if ("asks" in size) {
        // The question for the cause: three presses from the first screen to its answer, nothing typed.
        const isTouched = size.asks === "finger";
        const press = (button: Locator) => (isTouched ? button.tap() : button.click());
        if (isTouched) await press(page.getByRole("button", { name: "Close the evidence" }));
        await press(page.getByRole("button", { name: "Which word carries the answer?" }));
        await press(evidence.getByRole("button", { name: "Try Spain" }));
        await press(evidence.getByRole("button", { name: "Map every position" }));
        await expect(evidence.getByText("More than half of the difference is carried by")).toBeInViewport();
        await expect(evidence.getByRole("button", { name: /France.* at layers 0–/ })).toBeInViewport();
        // The map opens at the word in which the texts differ.
        const ofWord = await evidence
          .getByRole("gridcell", { name: /France.*: score/ })
          .first()
          .getAttribute("data-pair");
        await expect(evidence.locator(`[role=gridcell][data-pair='${ofWord}']`).nth(3)).toBeInViewport({
          ratio: 1,
        });
        await fitsTheWindow();
        await photograph(page, info, "map");
      }
      expect(explorer.complaints).toEqual([]);
    });
  });
}
