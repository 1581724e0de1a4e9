/** Text laid out by its Markdown: every token stays, can be selected, and is copied as it is. */
import { expect, seriousViolations, test } from "./page";

const TEXT = [
  "Try **this**:",
  "```py",
  "def flip(items):",
  `    return items[::-1]  # ${"a long line ".repeat(12)}`,
  "```",
  "- one `item`",
  "",
  "| way | cost |",
  "|---|---|",
  "| slice | n |",
].join("\n");

test("code, lists and tables are laid out, and each of their tokens is selected by pointer and by keys", async ({
  explorer,
  page,
}) => {
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "1" });
  await explorer.say(TEXT);
  const code = page.getByRole("group", { name: "Code, py" });
  await expect(code).toHaveCSS("white-space", "pre");
  expect(await code.evaluate((block) => block.scrollWidth > block.clientWidth)).toBe(true);
  await expect(page.getByRole("group", { name: "Table" }).locator(".md-cell").first()).toHaveCSS(
    "display",
    "table-cell",
  );

  const list = page.getByRole("listbox", { name: "Tokens of the conversation" });
  /** Tokens, and the second parts of those that a border cuts. */
  const parts = list.locator("[data-index]");
  const text = (await parts.allTextContents()).join("");
  expect(text).toContain(TEXT);

  const indices = await explorer.tokens.evaluateAll((options) =>
    options.map((option) => option.getAttribute("data-index") ?? ""),
  );
  expect(indices).toEqual(indices.map((_, number) => `${number}`));
  // By pointer, where it is drawn: each token, also the second part of one that a border cuts.
  const missed = await parts.evaluateAll((all) =>
    all.flatMap((part) => {
      part.scrollIntoView({ block: "center", inline: "center" });
      const box = Array.from(part.getClientRects()).find(({ width }) => width > 0);
      const hit =
        box === undefined
          ? null
          : document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
      const index = part.getAttribute("data-index");
      return hit?.closest("[data-index]")?.getAttribute("data-index") === index ? [] : [index];
    }),
  );
  expect(missed).toEqual([]);
  await explorer.tokens.filter({ hasText: "return" }).click();
  await expect(explorer.tokens.filter({ hasText: "return" })).toHaveAttribute("aria-selected", "true");

  await list.focus();
  await page.keyboard.press("Home");
  for (const index of indices) {
    await expect(list).toHaveAttribute("aria-activedescendant", `token-${index}`);
    await page.keyboard.press("ArrowRight");
  }

  await page.evaluate(() => {
    const list = document.getElementById("transcript");
    if (list !== null) window.getSelection()?.selectAllChildren(list);
  });
  await page.keyboard.press("ControlOrMeta+c");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(text);
  await page.evaluate(() => window.getSelection()?.removeAllRanges());

  expect(await seriousViolations(page)).toEqual([]);
  await page.getByRole("switch", { name: "Template" }).click();
  await expect(page.getByRole("option", { name: /^Template, \d+ tokens, of You, folded$/ })).toBeVisible();
  expect(await seriousViolations(page)).toEqual([]);
});
