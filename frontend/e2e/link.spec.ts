import type { Browser, Locator, Page } from "@playwright/test";
import { addressOf } from "./api";
import { ExplorerPage, expect, test, pick } from "./page";

const GREEDY = { Temperature: "0", "Max new tokens": "10" };

/** Opens an address in a browser that knows nothing, or has habits of its own. */
async function elsewhere(
  browser: Browser,
  address: string,
  habits: Readonly<Record<string, unknown>>,
): Promise<{ readonly explorer: ExplorerPage; readonly close: () => Promise<void> }> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const page = await context.newPage();
  await page.addInitScript((stored) => {
    for (const [key, value] of Object.entries(stored)) {
      localStorage.setItem(`mechanistic-explorer:${key}`, JSON.stringify(value));
    }
  }, habits);
  const explorer = new ExplorerPage(page);
  await explorer.open(new URL(address).search);
  return { explorer, close: () => context.close() };
}

/** All that the evidence says, once nothing is being read any more. */
async function said(evidence: Locator): Promise<string> {
  await expect(evidence.getByText(/^Reading/)).toHaveCount(0);
  await expect(evidence.locator("[role=row], tr, [role=option]").first()).toBeVisible();
  return evidence.innerText();
}

/** What is chosen in each view before its address is given away, by what a person sees of it. */
const CHOICES: Readonly<
  Record<string, { readonly key: string; readonly choose: (page: Page, evidence: Locator) => Promise<void> }>
> = {
  Standard: {
    key: "1",
    choose: async (page) => {
      await page.getByRole("radio", { name: "What it predicts" }).click();
      await page.getByRole("spinbutton", { name: "top-k" }).fill("3");
    },
  },
  Heatmap: {
    key: "2",
    choose: async (_page, evidence) => {
      await pick(evidence.getByRole("combobox", { name: "coloured by" }), "Entropy");
      await evidence.getByRole("button", { name: "Table" }).click();
      // Its code is fetched when it is shown.
      await expect(evidence.getByRole("region", { name: "Cells as a table" })).toBeVisible();
    },
  },
  Trajectories: {
    key: "3",
    choose: async (page, evidence) => {
      await evidence.getByRole("radio", { name: "Rank" }).click();
      await page.getByRole("button", { name: "Table" }).click();
    },
  },
  Layers: {
    key: "4",
    choose: async (page, evidence) => {
      await evidence.getByRole("radio", { name: "All" }).click();
      await evidence.getByRole("button", { name: "Display options" }).click();
      await page.getByRole("switch", { name: /^Show actual token/ }).click();
      await page.keyboard.press("Escape");
    },
  },
  Compare: {
    key: "5",
    choose: async (page, evidence) => {
      // Compare begins with the other branch.
      await evidence.getByRole("button", { name: "Change B" }).click();
      await pick(evidence.getByRole("combobox", { name: "B:" }), "same");
      await pick(evidence.getByRole("combobox", { name: "layers" }), "one");
      await pick(evidence.getByRole("combobox", { name: "layer of B" }), "7");
      await pick(evidence.getByRole("combobox", { name: "difference" }), "kl_b_to_a");
      await expect(page).toHaveURL(/layerB=7/);
      await expect(evidence.getByText(/(\d+) of \1 pairs read/)).toBeVisible();
      await expect(evidence.getByLabel("Measures")).toContainText(/KL\(B ‖ A\), nats\d/);
    },
  },
};

for (const [view, { key, choose }] of Object.entries(CHOICES)) {
  test(`a link to the ${view} view shows the same elsewhere, whatever is the habit there`, async ({
    explorer,
    page,
    browser,
  }) => {
    await explorer.setSampling(GREEDY);
    await explorer.say("The capital of France is");
    // A branch, so that the link has to name it.
    await page.getByRole("button", { name: "Regenerate" }).click();
    await explorer.settled();
    await explorer.tokens.filter({ hasText: "France" }).first().click();
    await page.keyboard.press("k");
    await page.keyboard.press("j");
    await page.keyboard.press(key);
    await choose(page, explorer.evidence);
    const numbers = await said(explorer.evidence);

    await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: /^Copy link/ }).click();
    await expect(page.getByText(/^Link copied/)).toBeVisible();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(new URL(link).search.slice(1)).toBe((await addressOf(page)).toString());

    for (const habits of [
      {},
      {
        "view-standard": { topK: "9" },
        "view-heatmap": { metric: "kl", hasTable: "on", stride: "2", ramp: "cividis" },
        "view-trajectories": { metric: "logprob" },
        "view-layers": { hasTint: "on", hasMarks: "off" },
        "view-compare": { difference: "target", cellWidth: "28" },
      },
    ]) {
      const other = await elsewhere(browser, link, habits);
      await expect(other.explorer.tokens).toHaveCount(await explorer.tokens.count());
      await expect.poll(() => said(other.explorer.evidence)).toBe(numbers);
      expect(other.explorer.complaints).toEqual([]);
      await other.close();
    }
  });
}

test("what a link chose does not become a habit", async ({ explorer, page }) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("The sun is a");
  await explorer.tokens.nth(4).click();
  await explorer.open(`?${(await addressOf(page)).toString()}&topK=2`);
  await expect(page.getByRole("spinbutton", { name: "top-k" })).toHaveValue("2");
  await explorer.open();
  await explorer.say("The moon is a");
  await explorer.tokens.nth(4).click();
  await expect(page.getByRole("spinbutton", { name: "top-k" })).toHaveValue("5");
});
