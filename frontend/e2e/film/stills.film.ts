/** The pictures of the README. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Page, expect, test } from "@playwright/test";
import { ExplorerPage, comparePrompt } from "../page";
import { type RunningServer, startServer } from "../server";

const DOCS = fileURLToPath(new URL("../../../docs", import.meta.url));

test.use({ viewport: { width: 1440, height: 900 } });

/** As one finds it who was here before. */
async function opened(page: Page, server: RunningServer): Promise<ExplorerPage> {
  await page.addInitScript(() => localStorage.setItem("mechanistic-explorer:opening", "over"));
  await page.goto(server.url);
  await expect(page.getByText("Ready", { exact: true })).toBeVisible();
  const explorer = new ExplorerPage(page);
  await explorer.setSampling({ Temperature: "0" });
  return explorer;
}

async function picture(page: Page, name: string): Promise<void> {
  await page.mouse.move(0, 0);
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: join(DOCS, `screenshot-${name}.png`), animations: "disabled" });
}

test.describe("the embedded model", () => {
  let server: RunningServer;
  test.beforeEach(async () => {
    server = await startServer("memory");
  });
  test.afterEach(() => server.stop());

  test.describe("light", () => {
    test.use({ colorScheme: "light" });

    test("a token and its layers", async ({ page }) => {
      const explorer = await opened(page, server);
      await explorer.say("What is the capital of France?");
      await explorer.say("What is the capital of Spain?");
      await explorer.tokens.filter({ hasText: "Madrid" }).last().click();
      await expect(explorer.evidence.getByText(/^after block \d+/)).toBeVisible();
      await picture(page, "light");
    });

    test("two prompts", async ({ page }) => {
      const explorer = await opened(page, server);
      await explorer.say("The capital of France is");
      await page.getByRole("tab", { name: "Compare" }).click();
      await comparePrompt(explorer, "The capital of Spain is", "greedy");
      await expect(explorer.evidence.getByText(/^(\d+) of \1 pairs read/)).toBeVisible();
      await picture(page, "compare");
    });

    test("why a token and not its rival", async ({ page }) => {
      const explorer = await opened(page, server);
      await explorer.say("What is the capital of France?");
      await explorer.tokens.filter({ hasText: "Paris" }).last().click();
      await page.getByRole("button", { name: "Why", exact: true }).click();
      await page.getByRole("tab", { name: "Attribution" }).click();
      await explorer.evidence.getByRole("button", { name: "Show", exact: true }).click();
      await expect(explorer.evidence.getByRole("row", { name: /, index \d+:/ }).first()).toBeVisible();
      await picture(page, "why");
    });
  });

  test.describe("dark", () => {
    test.use({ colorScheme: "dark" });

    test("the whole conversation", async ({ page }) => {
      const explorer = await opened(page, server);
      await explorer.say("What is the capital of France?");
      await page.getByRole("button", { name: "New", exact: true }).click();
      await explorer.say("What is the capital of Spain?");
      await explorer.tokens.filter({ hasText: "Madrid" }).last().click();
      await page.getByRole("tab", { name: "Heatmap" }).click();
      await expect(explorer.evidence.getByText(/(\d+) of \1 positions read/)).toBeVisible();
      await picture(page, "dark");
    });
  });
});
