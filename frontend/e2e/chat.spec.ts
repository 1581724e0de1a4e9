import { conversationOf, selectedIndex } from "./api";
import { expect, test } from "./page";

const GREEDY = { Temperature: "0", "Max new tokens": "12" };

test("a reply streams, and a click on a token shows its layers", async ({ explorer, page }) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("The capital of France is");

  expect(await explorer.reply().getByRole("option").count()).toBeGreaterThan(0);
  await explorer.tokens.filter({ hasText: "France" }).first().click();

  const head = explorer.evidence.getByRole("heading", { name: /^Selected token/ });
  await head.getByRole("button").click();
  await expect(page.getByRole("dialog", { name: "Token" })).toContainText("Part ofyour text");
  await page.keyboard.press("Escape");
  await expect(explorer.evidence.getByRole("row")).toHaveCount(14); // head, embed and 12 layers
  await expect(explorer.evidence.getByText(/predicts index/).first()).toBeVisible();
  await expect(page).toHaveURL(/[?&]t=\d+/);
  expect(explorer.complaints).toEqual([]);
});

test("the heatmap shows the conversation, and a click in it moves the selection", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("Water is");
  await explorer.tokens.nth(3).click();

  await page.keyboard.press("2");
  const grid = explorer.evidence.getByRole("grid");
  await expect(grid).toBeVisible();
  await expect(explorer.evidence.getByText(/(\d+) of \1 positions read/)).toBeVisible();
  const before = await selectedIndex(page);
  await grid.focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await expect.poll(() => selectedIndex(page)).toBe(before + 1);
});

test("Stop keeps what was written and the conversation goes on from there", async ({ explorer, page }) => {
  await explorer.beginLongReply("This is a long story.");
  await expect(page.getByText("Writing…")).toBeVisible();
  await expect.poll(() => explorer.reply().getByRole("option").count()).toBeGreaterThan(6);
  await page.getByRole("button", { name: "Stop" }).click();

  await expect(page.getByText("Stopped; the text so far is kept.")).toBeVisible();
  const kept = (await explorer.reply().getByRole("option").allTextContents()).slice(0, 6);
  await explorer.setSampling(GREEDY);
  await explorer.say(" And so on.");
  const all = await explorer.tokens.allTextContents();
  expect(all.join("")).toContain(kept.slice(1).join(""));
  expect(all.join("")).toContain(" And so on.");
});

test("a double-click on Send sends: its second click does not stop the reply", async ({ explorer, page }) => {
  await explorer.setSampling(GREEDY);
  await explorer.composer.fill("The capital of France is");
  await page.getByRole("button", { name: "Send" }).dblclick();
  await explorer.settled();

  expect(await explorer.reply().getByRole("option").count()).toBeGreaterThan(0);
  await expect(explorer.composer).toHaveValue("");
  await expect(page.getByText("Stopped; the text so far is kept.")).toBeHidden();
});

test("regenerating with a pinned seed writes the same reply, with a new one the turn stays", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling({ Temperature: "1", "Max new tokens": "12" });
  await explorer.say("Once upon a time");
  const first = await explorer.reply().textContent();
  await page.getByRole("button", { name: /^Sampling/ }).click();
  await page.getByRole("button", { name: /^Pin the last one/ }).click();
  await page.keyboard.press("Escape");

  // A reply written again is a branch with an address of its own. It may be too short to be seen being written.
  const before = await conversationOf(page);
  await page.getByRole("button", { name: "Regenerate" }).click();
  await expect.poll(() => conversationOf(page)).not.toBe(before);
  await explorer.settled();
  expect(await explorer.reply().textContent()).toBe(first);
  await expect(page.getByRole("group", { name: "You" })).toContainText("Once upon a time");
});

test("editing the last message replaces it and its reply; Back shows the old one", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("My cat is called");
  await page.getByRole("button", { name: "Edit message" }).click();
  await expect(explorer.composer).toHaveValue("My cat is called");
  await explorer.say("My dog is called");

  await expect(page.getByRole("group", { name: "You" })).toContainText("My dog is called");
  const conversation = page.getByRole("region", { name: "Conversation", exact: true });
  await expect(conversation.getByText("My cat is called")).toHaveCount(0);
  await page.goBack();
  await expect(page.getByRole("group", { name: "You" })).toContainText("My cat is called");
});

test("a conversation is reopened by its address, with its token and view", async ({ explorer, page }) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("The sun is a");
  await explorer.tokens.nth(4).click();
  await page.keyboard.press("2");
  await expect(page).toHaveURL(/view=heatmap/);
  const text = await explorer.tokens.allTextContents();

  await page.reload();
  await expect(explorer.tokens).toHaveCount(text.length);
  await expect(explorer.tokens.nth(4)).toHaveAttribute("aria-selected", "true");
  await expect(page.getByRole("tab", { name: "Heatmap" })).toHaveAttribute("aria-selected", "true");
});

test("an error is shown next to the composer and the text comes back", async ({ explorer, page }) => {
  const text = "word ".repeat(3000).trim();
  await explorer.composer.fill(text);
  await explorer.composer.press("Enter");

  const alert = page.getByRole("region", { name: "Conversation", exact: true }).getByRole("alert");
  await expect(alert).toContainText("1,024");
  await expect(alert).toContainText("context_exceeded");
  await expect(explorer.composer).toHaveValue(text);
  await alert.getByRole("button", { name: "Dismiss" }).click();
  await expect(alert).toBeHidden();
  await expect(explorer.composer).toHaveValue(text);
});

test("a server that went away is said quietly, and the text comes back", async ({ explorer, page }) => {
  await page.route("**/api/**", (route) => route.abort());
  await explorer.composer.fill("Are you there?");
  await explorer.composer.press("Enter");
  await expect(explorer.composer).toHaveValue("Are you there?");
  const banner = page.getByRole("status").filter({ hasText: "keeps what is shown" });
  await expect(banner).toContainText("make run MODEL=embedded");
  await expect(page.getByRole("button", { name: "offline" })).toBeVisible();
  // One fact is said once.
  await expect(page.getByRole("alert")).toHaveCount(0);

  await page.unroute("**/api/**");
  await expect(page.getByText("keeps what is shown")).toBeHidden();
  await expect(page.getByRole("alert")).toHaveCount(0);
});

test("completion mode continues raw text and writes on", async ({ explorer, page }) => {
  await explorer.setSampling(GREEDY);
  await page.getByRole("radio", { name: "Completion" }).click();
  await explorer.composer.fill("Once upon a time, there was");
  await explorer.composer.press("Enter");
  await explorer.settled();
  const text = (await explorer.tokens.allTextContents()).join("");
  expect(text.startsWith("Once upon a time, there was")).toBe(true);
  expect(text).not.toContain("Assistant");

  await page.getByRole("button", { name: "Continue" }).click();
  await expect
    .poll(async () => (await explorer.tokens.allTextContents()).join("").length)
    .toBeGreaterThan(text.length);
  await explorer.settled();
  expect((await explorer.tokens.allTextContents()).join("").startsWith(text)).toBe(true);
});

test("an example runs with one click and says what to see", async ({ explorer, page }) => {
  await page.getByRole("main").getByRole("listitem").first().getByRole("button").click();
  await explorer.settled();
  await expect(page.getByRole("region", { name: "What to see" })).toBeVisible();
});

test("a reply selects its most telling token and says so, until another is clicked", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("The capital of France is");
  const said = page.getByRole("status").filter({ hasText: "is selected for you" });
  await expect(said).toContainText("Select any other word to look into it.");
  const telling = await selectedIndex(page);
  await expect(explorer.tokens.nth(telling)).toHaveAttribute("aria-selected", "true");
  await explorer.tokens.nth(2).click();
  await expect(said).toBeHidden();
  await expect(page.getByText("to see how it was predicted")).toBeHidden();
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test("until a token is selected, it says that there is something to click", async ({ explorer, page }) => {
    await explorer.setSampling(GREEDY);
    await explorer.say("The capital of France is");
    await expect(page.getByText("to see how it was predicted")).toBeVisible();
    await explorer.tokens.nth(2).click();
    await expect(page.getByText("to see how it was predicted")).toBeHidden();
  });
});
