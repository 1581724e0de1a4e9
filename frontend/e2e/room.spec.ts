/** The line of the views has room for all that stands in it, in every width and with larger type. */
import type { Locator } from "@playwright/test";
import { expect, pick, test } from "./page";

/** The words in an element of which a part is scrolled away, cut off, or out of the window. */
const cutWords = (element: Locator): Promise<string[]> =>
  element.evaluate((root) => {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const cut: string[] = [];
    while (walker.nextNode()) {
      const text = walker.currentNode;
      const range = document.createRange();
      range.selectNodeContents(text);
      const box = range.getBoundingClientRect();
      if (box.width === 0) continue; // not shown
      let [left, right] = [0, window.innerWidth];
      for (let around = text.parentElement; around !== null; around = around.parentElement) {
        if (getComputedStyle(around).overflowX === "visible") continue;
        const clip = around.getBoundingClientRect();
        [left, right] = [Math.max(left, clip.left), Math.min(right, clip.right)];
      }
      const isForReadersOnly = right - left <= 1;
      if (!isForReadersOnly && (box.left < left - 0.5 || box.right > right + 0.5))
        cut.push(text.textContent ?? "");
    }
    return cut;
  });

/** Each once: what is cut is a matter of the widths. A window that is opened this wide has the list of conversations beside. */
const LOOKS = [
  {
    colorScheme: "light",
    opened: 1440,
    sizes: [
      [1920, "100"],
      [1440, "100"],
      [1440, "150"],
    ],
  },
  {
    colorScheme: "dark",
    opened: 1280,
    sizes: [
      [1440, "100"],
      [1280, "100"],
      [1280, "125"],
      [1260, "100"],
      [1024, "100"],
      [900, "100"],
      [390, "100"],
    ],
  },
] as const;

for (const { colorScheme, opened, sizes } of LOOKS) {
  test.describe(`${colorScheme}, opened at ${opened} px`, () => {
    test.use({ colorScheme, viewport: { width: opened, height: 800 } });

    test("no word of the line of the views is cut, whatever is chosen in it", async ({ explorer, page }) => {
      const { evidence, tokens } = explorer;
      const line = page.getByRole("tablist", { name: "Views" }).locator("..");
      await explorer.setSampling({ Temperature: "0", "Max new tokens": "6" });
      await explorer.say("The capital of France is");
      await tokens.filter({ hasText: "France" }).first().click();
      for (const lens of ["logit", "jacobian"]) {
        await page.setViewportSize({ width: opened, height: 800 });
        await pick(evidence.getByRole("combobox", { name: "Lens" }), lens);
        await expect(evidence.getByRole("button", { name: "Fit…" })).toBeVisible();
        for (const [width, typeSize] of sizes) {
          await page.setViewportSize({ width, height: 800 });
          await page.evaluate((size) => document.documentElement.setAttribute("data-type", size), typeSize);
          // The last one is too wide if any is: it is brought into view, and then the first one.
          for (const title of ["Compare", "Standard"]) {
            await page.getByRole("tab", { name: title }).click();
            await expect(page.getByRole("tabpanel", { name: title })).toBeVisible();
            await expect(evidence.getByText(/^(Opening|Reading)/)).toHaveCount(0);
            await expect
              .poll(() => cutWords(line), `${lens}, ${width} px, ${typeSize} %, ${title}`)
              .toEqual([]);
          }
          const unit = evidence.getByRole("columnheader", { name: /^actual/ }).getByText("rank, ");
          if (await unit.isVisible()) expect(await cutWords(unit), `${width} px, ${typeSize} %`).toEqual([]);
        }
        await page.evaluate(() => document.documentElement.removeAttribute("data-type"));
      }
    });
  });
}
