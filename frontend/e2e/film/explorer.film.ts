/** The film of the README: a question, then reading, why, and a change. */
import { fileURLToPath } from "node:url";
import { type Locator, expect, test } from "@playwright/test";
import { ExplorerPage } from "../page";
import { type RunningServer, startServer } from "../server";
import { Director } from "./director";

const DOCS = fileURLToPath(new URL("../../../docs", import.meta.url));

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });
    let server: RunningServer;

    // A server that nobody has used answers with the example of a first visit.
    test.beforeEach(async () => {
      server = await startServer("memory");
    });
    test.afterEach(() => server.stop());

    test("from a question to a change", async ({ page }, info) => {
      const explorer = new ExplorerPage(page);
      const shown = async (what: Locator): Promise<void> => {
        await expect(what).toBeVisible();
        await page.waitForLoadState("networkidle");
      };
      const director = new Director(page, info.outputPath("frames"));
      await page.goto(server.url);
      await expect(page.getByText("Ready", { exact: true })).toBeVisible();
      await director.begin();

      await director.caption("Ask a language model");
      await director.hold(1600);
      const paris = explorer.tokens.filter({ hasText: "Paris" }).first();
      await expect(paris).toBeVisible();

      await director.caption("Click a word: when was it decided?");
      await director.click(paris);
      await director.click(page.getByRole("tab", { name: "Standard" }));
      await shown(explorer.evidence.getByRole("table").first());
      await director.hold(2400);

      await director.caption("The whole text, layer by layer");
      await director.click(page.getByRole("tab", { name: "Heatmap" }));
      await shown(explorer.evidence.locator("canvas").first());
      await director.hold(2200);

      await director.caption("Why? Which head, reading which word");
      await director.click(page.getByRole("button", { name: "Why", exact: true }));
      await shown(explorer.evidence.getByRole("treegrid"));
      await director.hold(1600);
      await director.click(explorer.evidence.getByRole("button", { name: "Show", exact: true }));
      await shown(explorer.evidence.getByRole("row", { name: /, index \d+:/ }).first());
      await director.hold(2600);
      await director.caption("Which vectors carry it? Every layer, every token");
      await director.click(page.getByRole("button", { name: "Change", exact: true }));
      await director.click(page.getByRole("tab", { name: "Patch" }));
      await shown(explorer.evidence.getByRole("button", { name: /France/ }).first());
      await director.hold(900);
      await director.click(explorer.evidence.getByRole("button", { name: /France/ }).first());
      await page.keyboard.type("Spain");
      await director.hold(700);
      await page.keyboard.press("Enter");
      const map = explorer.evidence.getByRole("button", { name: "Map every position" });
      await shown(map);
      await director.click(map);
      await director.hold(900);
      await shown(explorer.evidence.getByText(/rank correlation/));
      await director.hold(3600);

      await director.caption("Change it: one vector from another text");
      await director.click(page.getByRole("button", { name: "Can one vector move a capital?" }));
      const change = page.getByRole("group", { name: "Change it" });
      await shown(change);
      await change.scrollIntoViewIfNeeded();
      await director.hold(3200);
      await director.click(change.getByRole("button", { name: /Madrid/ }));
      await shown(page.getByRole("region", { name: "What came of it" }));
      await director.hold(2600);
      await director.click(page.getByRole("button", { name: /^Compare both/ }));
      await shown(explorer.evidence.locator("canvas").first());
      await director.hold(3200);
      director.end(`${DOCS}/film-${colorScheme}.webp`);
    });
  });
}
