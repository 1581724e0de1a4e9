/** What browsers do to a page beside showing it: translate it, keep the clipboard from it, press keys of their own. */
import type { Page } from "@playwright/test";
import type { ExplorerPage } from "./page";
import { expect, test } from "./page";

const GREEDY = { Temperature: "0", "Max new tokens": "6" };

/** Puts each text into two `font` elements, as the translators of Chrome, Edge and Safari do. */
const translate = (page: Page): Promise<void> =>
  page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    while (walker.nextNode()) if (walker.currentNode instanceof Text) texts.push(walker.currentNode);
    for (const text of texts.filter(
      ({ parentElement }) => parentElement?.closest("textarea, script") === null,
    )) {
      // eslint-disable-next-line @typescript-eslint/no-deprecated -- translators insert it
      const [outer, inner] = [document.createElement("font"), document.createElement("font")];
      inner.textContent = text.data;
      outer.append(inner);
      text.replaceWith(outer);
    }
  });

/** All that the evidence says of a token in each view. */
async function told(explorer: ExplorerPage, page: Page, token: string): Promise<string[]> {
  await explorer.tokens.filter({ hasText: token }).first().click();
  const texts: string[] = [];
  for (const view of ["Standard", "Trajectories", "Layers", "Heatmap"]) {
    await page.getByRole("tab", { name: view }).click();
    await expect(explorer.evidence.getByRole("heading", { name: /^Selected token/ })).toContainText(token);
    await expect(explorer.evidence.getByText(/^(Reading|Opening)/)).toHaveCount(0);
    if (view === "Layers" || view === "Heatmap") {
      await expect(explorer.evidence.getByText(/(\d+) of \1 positions read/)).toBeVisible();
    }
    texts.push(await explorer.evidence.innerText());
  }
  return texts;
}

test("browsers are asked not to translate the page", async ({ explorer: { page } }) => {
  await expect(page.locator("html")).toHaveAttribute("translate", "no");
  await expect(page.locator("meta[name=google]")).toHaveAttribute("content", "notranslate");
});

test("a page that was translated all the same shows the numbers of the token that is selected", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("The capital of France is");
  await told(explorer, page, "France"); // reads everything
  const untranslated = await told(explorer, page, "capital");
  await told(explorer, page, "France");
  await translate(page);
  expect(await told(explorer, page, "capital")).toEqual(untranslated);

  // And goes on: another turn, another conversation.
  await translate(page);
  await explorer.say("The capital of Spain is");
  await expect(explorer.tokens.filter({ hasText: "Spain" }).first()).toBeVisible();
  await translate(page);
  await page.getByRole("button", { name: "New" }).first().click();
  await expect(explorer.tokens).toHaveCount(0);
  expect(explorer.complaints).toEqual([]);
});

test("everything that copies does so over plain http by another name than localhost", async ({
  explorer,
  page,
}) => {
  await page.addInitScript(() =>
    Object.defineProperty(Navigator.prototype, "clipboard", { value: undefined }),
  );
  await explorer.open();
  await explorer.setSampling(GREEDY);
  await explorer.say("The capital of France is");
  await explorer.tokens.filter({ hasText: "France" }).first().click();
  await expect(explorer.evidence.getByRole("row")).toHaveCount(14);
  const pasted = async (): Promise<string> => {
    await explorer.composer.fill("");
    await explorer.composer.press("ControlOrMeta+v");
    return explorer.composer.inputValue();
  };

  await page.getByRole("button", { name: "Copy the reply" }).click();
  await expect(page.getByText("Copied", { exact: true })).toBeVisible();
  const reply = (await explorer.reply().getByRole("option").allInnerTexts()).join("");
  const copied = (await pasted()).trim();
  expect(copied.length).toBeGreaterThan(5);
  expect(reply).toContain(copied);

  for (const [item, outcome, content] of [
    [/^Copy link/, /^Link copied/, /^http.*[?&]c=/],
    [/^Copy as code/, /^Copied a Python script/, /nnsight/],
  ] as const) {
    await page.getByRole("button", { name: "Export" }).click();
    await page.getByRole("menuitem", { name: item }).click();
    await expect(page.getByText(outcome)).toBeVisible();
    expect(await pasted()).toMatch(content);
  }
  expect(explorer.complaints).toEqual([]);
});

test("with forced colours what is selected, chosen and pressed is outlined", async ({ explorer, page }) => {
  await page.emulateMedia({ forcedColors: "active" });
  await expect(page.getByRole("radio", { name: "Chat" })).toHaveCSS("outline-style", "solid");
  await expect(page.getByRole("radio", { name: "Completion" })).toHaveCSS("outline-style", "none");
  await explorer.setSampling(GREEDY);
  await explorer.say("The capital of France is");
  const token = explorer.tokens.filter({ hasText: "France" }).first();
  await token.click();
  await page.mouse.move(0, 0);
  await expect(token).toHaveCSS("outline-style", "solid");
  await expect(token).not.toHaveCSS("outline-width", "0px");
  await expect(explorer.tokens.filter({ hasText: "capital" }).first()).toHaveCSS("outline-style", "none");
  await explorer.evidence.getByRole("row").nth(1).click();
  const pin = explorer.evidence.getByRole("button", { name: /^Pin / }).first();
  await pin.click();
  await expect(pin).toHaveCSS("outline-style", "solid");
});

test("a line of Arabic reads from the right, also after the words of a template", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "1" });
  await explorer.composer.fill("مرحبا بالعالم");
  await expect(explorer.composer).toHaveAttribute("dir", "auto");
  await explorer.composer.press("Enter");
  await explorer.settled();
  await page.getByRole("switch", { name: /template/i }).click();
  const group = page.getByRole("group", { name: "You" });
  const [text, line] = [
    await group.locator("[data-index]").first().boundingBox(),
    await group.locator("div[dir=auto]").first().boundingBox(),
  ];
  if (text === null || line === null) throw new Error("it is not on the page");
  expect(line.x + line.width - (text.x + text.width)).toBeLessThan(20);
});
