/** What is under the pointer stays there: selecting a word moves nothing of the view that is open. */
import type { Locator } from "@playwright/test";
import { conversationOf } from "./api";
import { type ExplorerPage, expect, test, pick } from "./page";

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

async function boxOf(element: Locator): Promise<Box> {
  const box = await element.boundingBox();
  if (box === null) throw new Error("it is not shown");
  return box;
}

/** What each view has to keep in place; the panel of all of them, and what is drawn in it before anything is selected. */
const VIEWS: Readonly<Record<string, (explorer: ExplorerPage) => Locator | null>> = {
  Standard: () => null,
  Heatmap: ({ evidence }) => evidence.getByRole("grid"),
  Trajectories: () => null,
  Layers: ({ evidence }) => evidence.getByRole("listbox"),
  Compare: ({ evidence }) => evidence.getByRole("grid"),
};

for (const [name, viewport] of Object.entries({
  wide: { width: 1440, height: 900 },
  phone: { width: 390, height: 844 },
})) {
  test.describe(name, () => {
    test.use({ viewport });

    test("every view stays in its place when a word is selected", async ({ explorer, page }) => {
      await explorer.setSampling({ Temperature: "0", "Max new tokens": "6" });
      await explorer.say("The capital of France is");
      const conversation = await conversationOf(page);
      const head = explorer.evidence.getByRole("heading", { name: /^Selected token/ });
      const heights = new Set<number>();
      for (const [title, drawnIn] of Object.entries(VIEWS)) {
        await explorer.open(`?c=${conversation}&view=${title.toLowerCase()}`);
        await expect(explorer.tokens.first()).toBeVisible();
        if (name === "phone") await page.getByRole("button", { name: "Evidence" }).click();
        if (title === "Compare") {
          await pick(explorer.evidence.getByRole("combobox", { name: /B:/ }), "the same text");
        }
        const drawn = drawnIn(explorer);
        if (drawn !== null) {
          await expect(explorer.evidence.getByText(/(\d+) of \1 (pairs|positions) read/)).toBeVisible();
        }
        const panel = page.getByRole("tabpanel", { name: title });
        const before = { panel: await boxOf(panel), drawn: drawn === null ? null : await boxOf(drawn) };
        const isInPlace = async (): Promise<void> => {
          expect(await boxOf(panel), title).toEqual(before.panel);
          if (drawn !== null) expect(await boxOf(drawn), title).toEqual(before.drawn);
          heights.add((await boxOf(panel)).y);
        };
        await expect(head).toBeHidden();
        // The first token has no numbers, the template's, a person's and the model's have.
        for (const index of [0, 1, 4, (await explorer.tokens.count()) - 1]) {
          await explorer.tokens.nth(index).click();
          await expect(head).toBeVisible();
          await isInPlace();
          await expect(
            explorer.evidence.getByText(index === 0 ? /^The first token/ : /^rank \d/).first(),
          ).toBeVisible();
          await isInPlace();
        }
      }
      expect([...heights]).toHaveLength(1);
    });
  });
}

for (const title of ["Heatmap", "Compare"]) {
  test(`a cell of ${title} is still under the pointer that has selected it`, async ({ explorer, page }) => {
    await explorer.setSampling({ Temperature: "0", "Max new tokens": "6" });
    await explorer.say("The capital of France is");
    await page.getByRole("tab", { name: title }).click();
    if (title === "Compare") {
      await pick(explorer.evidence.getByRole("combobox", { name: /B:/ }), "the same text");
    }
    await expect(explorer.evidence.getByText(/^(\d+) of \1 (pairs|positions) read/)).toBeVisible();
    const grid = explorer.evidence.getByRole("grid");
    const before = await boxOf(grid);
    await page.mouse.click(before.x + 68 + 1.5 * 92, before.y + 56 + 2.5 * 22);
    await expect(explorer.evidence.getByText(/^rank \d/).first()).toBeVisible();
    await expect(page).toHaveURL(/[?&]t=\d+&l=10(&|$)/);
    expect(await boxOf(grid)).toEqual(before);
    expect(explorer.complaints).toEqual([]);
  });
}
