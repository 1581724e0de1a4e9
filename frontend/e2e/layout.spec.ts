/** What is seen of the evidence without scrolling, on a small laptop, a desk, a zoomed window and a phone. */
import { type ExplorerPage, expect, test } from "./page";

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

const SIZES = [
  { name: "a small laptop", width: 1280, height: 720, rows: 13, withDetail: 9, heatmap: 13 },
  { name: "a desk", width: 1440, height: 900, rows: 13, withDetail: 12, heatmap: 13 },
  { name: "a laptop at 150 %", width: 853, height: 480, rows: 6, withDetail: 6, heatmap: 6 },
  { name: "a phone", width: 390, height: 844, rows: 5, withDetail: 5, heatmap: 5 },
] as const;

/** px: the least height of a row whose text can be read. */
const TEXT_ROW = 15;

for (const { name, width, height, rows, withDetail, heatmap } of SIZES) {
  test.describe(`${name}, ${width} × ${height}`, () => {
    test.use({ viewport: { width, height }, ...(width < 500 ? { hasTouch: true, isMobile: true } : {}) });

    test("the views show their layers without scrolling, and alternatives that can be told apart", async ({
      explorer,
      page,
    }) => {
      await explorer.setSampling({ Temperature: "0", "Max new tokens": "8" });
      await explorer.say("The capital of France is");
      const { evidence } = explorer;
      await explorer.tokens.filter({ hasText: "Paris" }).first().click();
      await expect(evidence.getByRole("table").first()).toHaveAttribute("aria-busy", "false");
      // The worked example selects the layer at which the token is decided.
      await expect(page).toHaveURL(/[?&]t=\d+/);
      await expect.poll(() => rowsInView(explorer)).toBeGreaterThanOrEqual(withDetail);
      const { texts, cut } = await chips(explorer);
      expect(cut).toBe(0);
      for (const row of texts) {
        expect(row.length).toBeGreaterThanOrEqual(3);
        expect(new Set(row).size).toBe(row.length);
      }
      for (const title of ["Standard", "Heatmap", "Trajectories", "Layers", "Compare"]) {
        await expect(page.getByRole("tab", { name: title })).toBeInViewport({ ratio: 1 });
      }
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      // A token that the example is not about has no layer selected, and no detail below the table.
      await page.goto(page.url().replace(/&l=\d+/, ""));
      await expect(evidence.getByRole("table").first()).toHaveAttribute("aria-busy", "false");
      await expect.poll(() => rowsInView(explorer)).toBeGreaterThanOrEqual(rows);
      if (width === 1440) {
        // A model of 24 blocks has room for its 25 layers in text that can be read.
        const { y = 0 } =
          (await evidence.getByRole("table").first().locator("[data-part=layer]").first().boundingBox()) ??
          {};
        expect((height - y) / TEXT_ROW).toBeGreaterThan(25);
      }
      await page.getByRole("tab", { name: "Heatmap" }).click();
      await expect.poll(() => heatmapRowsInView(explorer)).toBeGreaterThanOrEqual(heatmap);
    });
  });
}
