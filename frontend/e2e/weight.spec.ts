/** What a first visit fetches, as it goes over the wire, with the list of conversations. `weigh.mjs` has the budgets. */
import { gzipSync } from "node:zlib";
import type { Page, Response } from "@playwright/test";
import { ExplorerPage, expect, test } from "./page";

/** 150 kB before the first paint; what is fetched right after it, such as the list of conversations, is the rest. */
const MAX_SCRIPT_BYTES = 159_000;

interface Loaded {
  readonly name: string;
  readonly gzipBytes: number;
}

/** The scripts that the page loads from now on. */
function watchScripts(page: Page): () => Promise<readonly Loaded[]> {
  const responses: Response[] = [];
  page.on("response", (response) => {
    if (new URL(response.url()).pathname.endsWith(".js")) responses.push(response);
  });
  return () =>
    Promise.all(
      responses.map(async (response) => ({
        name: new URL(response.url()).pathname,
        gzipBytes: gzipSync(await response.body()).length,
      })),
    );
}

test("the first load is light, and a view's code comes when the view is opened", async ({ page }, info) => {
  const scripts = watchScripts(page);
  const explorer = new ExplorerPage(page);
  await explorer.open();
  await page.waitForLoadState("networkidle");
  const first = await scripts();
  const total = first.reduce((sum, { gzipBytes }) => sum + gzipBytes, 0);
  info.annotations.push({ type: "first load", description: `${Math.round(total / 1000)} kB of scripts` });
  expect(total).toBeGreaterThan(0);
  expect(total).toBeLessThanOrEqual(MAX_SCRIPT_BYTES);

  const [, ...later] = await page.getByRole("tab").allTextContents();
  expect(later.length).toBeGreaterThan(0);
  for (const view of later) {
    await Promise.all([
      page.waitForResponse((response) => response.url().includes(`/assets/${view}-`)),
      page.getByRole("tab", { name: view }).click(),
    ]);
  }
});
