import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addressOf, conversationOf, selectedIndex } from "./api";
import { expectSameNumbers, numbers } from "./numbers";
import { expect, test } from "./page";
import type { ExplorerPage } from "./page";
import { startServer } from "./server";

const GREEDY = { Temperature: "0", "Max new tokens": "10" };

const list = ({ page }: ExplorerPage) => page.getByRole("navigation", { name: "Conversations" });

/** Opens the menu of the conversation with this title and chooses from it. */
async function choose(explorer: ExplorerPage, title: string, item: string): Promise<void> {
  await list(explorer).getByRole("button", { name: title, exact: true }).hover();
  await list(explorer)
    .getByRole("button", { name: `More for ${title}` })
    .click();
  await explorer.page.getByRole("menuitem", { name: item }).click();
}

test("a conversation is found by its text, renamed, deleted and brought back", async ({ explorer, page }) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("Tell me about zebras");
  const entry = list(explorer).getByRole("button", { name: "Tell me about zebras", exact: true });
  await expect(entry).toHaveAttribute("aria-current", "page");
  const text = (await explorer.tokens.allTextContents()).join("");

  await list(explorer).getByRole("button", { name: "New" }).click();
  await expect(explorer.tokens).toHaveCount(0);
  await list(explorer).getByRole("searchbox").fill("ZEBRA");
  await expect(list(explorer).getByRole("listitem")).toHaveCount(1);
  await entry.click();
  await expect.poll(async () => (await explorer.tokens.allTextContents()).join("")).toBe(text);

  await choose(explorer, "Tell me about zebras", "Rename");
  await page.keyboard.type("Stripes");
  await page.keyboard.press("Enter");
  await expect(list(explorer).getByRole("button", { name: "Stripes", exact: true })).toBeVisible();

  await choose(explorer, "Stripes", "Delete");
  await expect(explorer.tokens).toHaveCount(0);
  await expect(list(explorer).getByRole("button", { name: "Stripes", exact: true })).toBeHidden();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect.poll(async () => (await explorer.tokens.allTextContents()).join("")).toBe(text);
  expect(explorer.complaints).toEqual([]);
});

test("an exported conversation comes back from its file, with the same numbers", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("Snow is white");
  await explorer.tokens.nth(5).click();
  const before = await numbers(explorer);
  const downloading = page.waitForEvent("download");
  await choose(explorer, "Snow is white", "Export");
  const file = await downloading;
  expect(file.suggestedFilename()).toBe("Snow-is-white.json");
  const path = await file.path();
  expect(readFileSync(path, "utf8")).toContain('"format":"mechanistic-explorer-conversation"');

  const exported = await conversationOf(page);
  await page.getByLabel("File of a conversation").setInputFiles(path);
  await expect.poll(() => conversationOf(page)).not.toBe(exported);
  await expect(list(explorer).getByRole("button", { name: "Snow is white", exact: true })).toHaveCount(2);
  await explorer.tokens.nth(5).click();
  await expect(async () => expectSameNumbers(await numbers(explorer), before)).toPass({ timeout: 30_000 });
  expect(explorer.complaints).toEqual([]);

  // An installation that has never held a conversation.
  const empty = await startServer("memory");
  try {
    await page.goto(empty.url);
    await expect(page.getByText("Ready", { exact: true })).toBeVisible();
    await expect(list(explorer).getByRole("listitem")).toHaveCount(0);
    await page.getByLabel("File of a conversation").setInputFiles(path);
    await explorer.tokens.nth(5).click();
    await expect(async () => expectSameNumbers(await numbers(explorer), before)).toPass({ timeout: 30_000 });
  } finally {
    await empty.stop();
  }
});

test("another token begins a branch; both stay, can be named, switched and deleted", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("What is the capital of France?");
  const first = await explorer.reply().textContent();
  await explorer.reply().getByRole("option").nth(2).click();
  const index = await selectedIndex(page);
  await expect(explorer.evidence.getByText(/predicts index/).first()).toBeVisible();

  await explorer.evidence.getByRole("button", { name: "Branch" }).click();
  const alternative = page.getByRole("button", { name: /^Continue with .*, probability/ }).nth(1);
  const chosen = /^Continue with (.*), probability (.*)$/.exec(
    (await alternative.getAttribute("aria-label")) ?? "",
  );
  await alternative.click();
  await expect(page.getByRole("button", { name: /^Branch 2 of 2/ })).toBeVisible();
  await explorer.settled();
  await expect.poll(() => explorer.reply().textContent()).not.toBe(first);
  // The chosen token stands where it was put, with the score that the model gave it.
  await expect(page).toHaveURL(new RegExp(`[?&]t=${index}(&|$)`));
  const head = explorer.evidence.getByRole("heading", { name: /^Selected token/ });
  await expect(head).toContainText(chosen?.[1] ?? "nothing was chosen");
  await expect(explorer.evidence.getByText("rank 2", { exact: true })).toBeVisible();
  await expect(explorer.evidence.getByText(`p ${chosen?.[2] ?? ""}`).first()).toBeVisible();

  await page.getByRole("button", { name: "Previous branch" }).click();
  await expect.poll(() => explorer.reply().textContent()).toBe(first);
  await page.getByRole("button", { name: /^Branch 1 of 2/ }).click();
  await page.getByRole("button", { name: "More for branch 2" }).click();
  await page.getByRole("menuitem", { name: "Name" }).click();
  await page.keyboard.type("Second thoughts");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: /Second thoughts/ }).click();
  await expect(page.getByRole("button", { name: "Branch 2 of 2 · Second thoughts" })).toBeVisible();
  await page.reload();
  await expect(page.getByRole("button", { name: "Branch 2 of 2 · Second thoughts" })).toBeVisible();

  await page.getByRole("button", { name: /^Branch 2 of 2/ }).click();
  await page.getByRole("button", { name: "More for branch 2" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await expect.poll(() => explorer.reply().textContent()).toBe(first);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(page.getByRole("button", { name: "Branch 2 of 2 · Second thoughts" })).toBeVisible();
  expect(explorer.complaints).toEqual([]);
});

test("pins stay with the conversation that they were made in, however fast one goes on to another", async ({
  explorer,
  page,
}) => {
  const pinnedHere = explorer.evidence.getByRole("list", { name: "Positions" }).getByRole("listitem");
  // The newest first: there are older ones of these names when the test runs again.
  const saved = (title: string) => list(explorer).getByRole("button", { name: title, exact: true }).first();
  const unpin = explorer.evidence.getByRole("button", { name: "Unpin index 4" });
  await explorer.setSampling(GREEDY);
  await explorer.say("The moon is far");
  await list(explorer).getByRole("button", { name: "New" }).click();
  await expect(explorer.tokens).toHaveCount(0);
  await explorer.say("The sun is near");
  await page.getByRole("tab", { name: "Trajectories" }).click();
  await explorer.tokens.nth(5).click();
  await explorer.evidence.getByRole("button", { name: "Pin this position" }).click();
  // At once, before the pause after which pins are saved.
  await saved("The moon is far").click();
  await expect(explorer.tokens.filter({ hasText: "moon" }).first()).toBeVisible();
  expect((await addressOf(page)).has("at")).toBe(false);
  await explorer.tokens.nth(7).click();
  await expect(pinnedHere).toHaveCount(1);
  await expect(unpin).toBeHidden();

  // What is saved comes back, also where no address names it.
  await page.goto(new URL("/?view=trajectories", page.url()).href);
  await saved("The sun is near").click();
  await expect(page).toHaveURL(/[?&]at=4(&|$)/);
  await explorer.tokens.nth(7).click();
  await expect(unpin).toBeVisible();

  // A branch has it too, and shows it all the while.
  await page.getByRole("button", { name: "Regenerate" }).click();
  await expect(page.getByRole("button", { name: /^Branch 2 of 2/ })).toBeVisible();
  await expect(page).toHaveURL(/[?&]at=4(&|$)/);
  await explorer.settled();
  expect((await addressOf(page)).get("at")).toBe("4");

  // Back and Forward show what those addresses name.
  await saved("The moon is far").click();
  await expect(page).not.toHaveURL(/[?&]at=/);
  await page.goBack();
  await expect(page).toHaveURL(/[?&]at=4(&|$)/);
  await expect(page.getByRole("button", { name: /^Branch 2 of 2/ })).toBeVisible();
  await page.goForward();
  await expect(page).not.toHaveURL(/[?&]at=/);
  // A write that another one overtakes is refused, and done again.
  expect(explorer.complaints.filter((text) => !text.includes("status of 409"))).toEqual([]);
});

test("a layer's own favourite can be put in the token's place, by keyboard", async ({ explorer, page }) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("Two and two is");
  await explorer.reply().getByRole("option").nth(1).click();
  await page.keyboard.press("k");
  const detail = explorer.evidence.getByRole("region", { name: "Selected layer" });
  const button = detail.getByRole("button", { name: /^Continue with/ }).first();
  await button.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: /^Branch 2 of 2/ })).toBeVisible();
});

test.describe("with a database in a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "explorer-"));
  test.afterAll(() => rmSync(folder, { recursive: true }));

  test("a reply that was shown is there after the server was killed, with the same numbers", async ({
    explorer,
    page,
  }) => {
    const database = `sqlite:///${join(folder, "conversations.db")}`;
    const first = await startServer(database);
    await page.goto(first.url);
    await explorer.setSampling(GREEDY);
    await explorer.say("The sea is");
    await first.kill();
    const text = await explorer.tokens.allTextContents();
    await expect(page.getByText("keeps what is shown")).toBeVisible();

    const second = await startServer(database, Number(new URL(first.url).port));
    try {
      await expect(page.getByText("Ready", { exact: true })).toBeVisible({ timeout: 40_000 });
      await explorer.tokens.nth(4).click();
      const before = await numbers(explorer);
      await page.reload();
      await expect.poll(() => explorer.tokens.allTextContents()).toEqual(text);
      await expect.poll(() => numbers(explorer)).toBe(before);
      await explorer.say("And more");
      await expect(list(explorer).getByRole("listitem")).toHaveCount(1);
    } finally {
      await second.stop();
    }
  });
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test("the conversations are a sheet that closes when one is opened", async ({ explorer, page }) => {
    await explorer.setSampling(GREEDY);
    await explorer.say("A short walk");
    await page.getByRole("button", { name: "Conversations" }).click();
    const sheet = page.getByRole("dialog", { name: "Conversations" });
    await sheet.getByRole("button", { name: "New" }).click();
    await expect(sheet).toBeHidden();
    await expect(explorer.tokens).toHaveCount(0);
    await page.getByRole("button", { name: "Conversations" }).click();
    await sheet.getByRole("button", { name: "A short walk", exact: true }).first().click();
    await expect(sheet).toBeHidden();
    await expect(explorer.tokens.first()).toBeVisible();
  });

  test("the sheet leads to the commands and to the tour, which a phone's header has no room for", async ({
    explorer: { page },
  }) => {
    const sheet = page.getByRole("dialog", { name: "Conversations" });
    await page.getByRole("button", { name: "Conversations" }).click();
    await sheet.getByRole("button", { name: "Commands" }).click();
    await expect(sheet).toBeHidden();
    await page.getByRole("combobox", { name: "Find a command" }).fill("theme");
    await page.keyboard.press("Enter");
    await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
    await page.getByRole("button", { name: "Conversations" }).click();
    await sheet.getByRole("button", { name: "Take the tour" }).click();
    await expect(sheet).toBeHidden();
    await expect(page.getByRole("region", { name: "Every word is a prediction" })).toBeVisible({
      timeout: 90_000,
    });
  });
});
