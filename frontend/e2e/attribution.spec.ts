/** Attribution in the page: its numbers against the API's, by mouse and by keyboard, and its script. */
import type { Locator } from "@playwright/test";
import { formatNats, formatSigned } from "../src/model/format";
import { type Schemas, conversationOf, post, selectedIndex } from "./api";
import { WAYS, expect, seriousViolations, test } from "./page";

type Answer = Schemas["AttributionResponse"];
type Part = Schemas["AttributionPart"];

const sumOf = (parts: readonly Part[]): number => parts.reduce((sum, part) => sum + part.contribution, 0);

for (const { hand, colorScheme } of WAYS) {
  test.describe(`${colorScheme}, by ${hand}`, () => {
    test.use({ colorScheme });

    test("from the answer to the head and the word that it read, with the API's numbers", async ({
      explorer,
      page,
    }) => {
      await explorer.setSampling({ Temperature: "0", "Max new tokens": "12" });
      await explorer.say("The capital of France is");
      if (hand === "keyboard") await page.keyboard.press("Escape");
      await explorer.selectToken("Paris", hand);
      if (hand === "mouse") await page.getByRole("button", { name: "Why", exact: true }).click();
      else await page.keyboard.press("6");

      const position = (await selectedIndex(page)) - 1;
      const about = { conversation_id: await conversationOf(page), position };
      const heads = await post<Answer>(page, "/api/attribution", { ...about, unit: "head" });
      const best = heads.parts
        .filter(({ part }) => part === "head")
        .toSorted((a, b) => b.contribution - a.contribution)[0];
      const [block, head] = [best?.block ?? 0, best?.head ?? 0];
      const words = await post<Answer>(page, "/api/attribution", { ...about, unit: "source", block, head });
      const word = words.parts
        .filter(({ part }) => part === "source")
        .toSorted((a, b) => b.contribution - a.contribution)[0];
      const source = word?.source ?? -1;

      const { evidence } = explorer;
      const row = (name: string): Locator => evidence.getByRole("row", { name: new RegExp(`^${name}:`) });
      await expect(evidence.getByText(`Head ${head} of block ${block}`)).toBeVisible();
      for (const number of [1, block]) {
        const own = sumOf(heads.parts.filter((part) => part.block === number));
        await expect(row(`Block ${number}`)).toContainText(formatSigned(own));
      }
      for (const [name, logits] of [
        ["sum of the parts", heads.sum],
        ["logit difference", heads.difference],
        ["residue", heads.residue],
      ] as const) {
        await expect(evidence.getByText(name, { exact: true }).locator("..")).toContainText(
          formatNats(logits),
        );
      }

      if (hand === "mouse") await evidence.getByRole("button", { name: "Show", exact: true }).click();
      else {
        await row(`Block ${block}`).focus();
        await page.keyboard.press("ArrowRight");
        await page.keyboard.press("ArrowRight");
        await expect(row("Attention")).toBeFocused();
        await page.keyboard.press("ArrowRight");
        for (let i = 0; i <= head; i += 1) await page.keyboard.press("ArrowDown");
        await expect(row(`Head ${head}`)).toBeFocused();
        await page.keyboard.press("ArrowRight");
      }
      await expect(row(`Head ${head}`)).toContainText(formatSigned(best?.contribution ?? Number.NaN));
      const read = evidence.getByRole("row", { name: new RegExp(`, index ${source}:`) });
      await expect(read).toContainText(formatSigned(word?.contribution ?? Number.NaN));
      expect(await seriousViolations(page)).toEqual([]);

      // The address opens the same rows.
      await expect(page).toHaveURL(/[?&]open=[\d.ah]+/);
      await page.reload();
      await expect(read).toBeVisible();
      if (hand === "mouse") await read.click();
      else {
        await row(`Head ${head}`).focus();
        await page.keyboard.press("ArrowRight");
        await expect(read).toBeFocused();
        await page.keyboard.press("Enter");
      }
      await expect.poll(() => selectedIndex(page)).toBe(source);
      expect(explorer.complaints).toEqual([]);
    });
  });
}
