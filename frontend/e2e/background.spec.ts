/** Replies that go on while another conversation is shown, and turns that failed, with a real server. */
import { conversationOf } from "./api";
import { type ExplorerPage, expect, test } from "./page";

const LONG = { Temperature: "10", "Max new tokens": "200" };

const list = ({ page }: ExplorerPage) => page.getByRole("navigation", { name: "Conversations" });

/** Raw text has no stop string, and this hot no token is likely, the end of the text neither. */
async function beginLong(explorer: ExplorerPage, text: string): Promise<void> {
  const { page, composer } = explorer;
  await page.getByRole("radio", { name: "Completion" }).click();
  await explorer.setSampling(LONG);
  await composer.fill(text);
  await composer.press("Enter");
}

test("another conversation that is opened a tenth of a second after Send leaves the reply running", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "8" });
  await explorer.say("A quiet harbour");
  const first = await conversationOf(page);
  await list(explorer).getByRole("button", { name: "New" }).click();
  await explorer.beginLongReply("The storm began");
  // By key: under a pointer the list moves when the new conversation comes into it.
  await list(explorer)
    .getByRole("button", { name: /^A quiet harbour/ })
    .first() // a second try finds the first one's too
    .press("Enter", { delay: 100 });
  await expect.poll(() => conversationOf(page)).toBe(first);

  const running = list(explorer)
    .getByRole("button", { name: /^The storm began/ })
    .first();
  await expect(running).toContainText("generating…");
  await running.click();
  await expect(page.getByText("Writing…")).toBeVisible();
  await expect(page.getByRole("button", { name: "Stop" })).toBeVisible();
  const before = await explorer.tokens.count();
  await expect.poll(() => explorer.tokens.count()).toBeGreaterThan(before);
  await page.getByRole("button", { name: "Stop" }).click();
  await expect(page.getByText("Stopped; the text so far is kept.")).toBeVisible();
  const text = (await explorer.tokens.allTextContents()).join("");
  await page.reload();
  await expect
    .poll(async () => (await explorer.tokens.allTextContents()).join(""))
    .toContain(text.slice(0, 60));
  expect(explorer.complaints).toEqual([]);
});

test("a reply that ends in the background is complete when it is opened", async ({ explorer, page }) => {
  await beginLong(explorer, "Far away");
  await expect.poll(() => explorer.tokens.count()).toBeGreaterThan(4);
  await list(explorer).getByRole("button", { name: "New" }).click();
  await expect(explorer.tokens).toHaveCount(0);
  const entry = list(explorer).getByRole("button", { name: /^Far away/ });
  await expect(entry).toContainText("generating…");
  await expect(entry).not.toContainText("generating…", { timeout: 90_000 });
  await entry.click();
  await expect(page.getByText("Ended at the maximum of new tokens.")).toBeVisible();
  expect(await explorer.tokens.count()).toBeGreaterThan(200);
});

test("an edit stays with the conversation that it was begun in", async ({ explorer, page }) => {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "6" });
  await explorer.say("The first harbour");
  await list(explorer).getByRole("button", { name: "New" }).click();
  await expect(explorer.tokens).toHaveCount(0);
  await explorer.say("The second harbour");
  await page.getByRole("button", { name: "Edit message" }).click();
  await explorer.composer.fill("The second harbour, edited");
  await list(explorer)
    .getByRole("button", { name: /^The first harbour/ })
    .click();
  await expect(page.getByText("Editing your last message.")).toBeHidden();
  await expect(explorer.composer).toHaveValue("");
  await list(explorer)
    .getByRole("button", { name: /^The second harbour/ })
    .click();
  await expect(explorer.composer).toHaveValue("The second harbour, edited");
});

test("a turn that is cut off shows no number of it under the next one's tokens", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "8" });
  await explorer.say("The capital of Italy is");
  await page.getByRole("tab", { name: "Heatmap" }).click();
  // The connection breaks after the first bytes; the server keeps what it had sent.
  await page.route("**/api/chat", async (route) => {
    const response = await route.fetch();
    const body = await response.text();
    const frames = body.split("\n\n");
    await route.fulfill({ response, body: `${frames.slice(0, 4).join("\n\n")}\n\n` });
  });
  await explorer.setSampling({ Temperature: "10", "Max new tokens": "8" });
  await explorer.composer.fill("And of Peru?");
  await explorer.composer.press("Enter");
  await expect(page.getByRole("alert").filter({ hasText: "The text so far is kept" })).toBeVisible();
  await page.unroute("**/api/chat");
  // The whole turn was stored: it is read again.
  await expect(page.getByRole("group", { name: "You" }).last()).toContainText("And of Peru?");
  await page.getByRole("button", { name: "Regenerate" }).click();
  await explorer.settled();
  await expect(page.getByRole("alert")).toBeHidden();
  await expect(explorer.evidence.getByText(/(\d+) of \1 positions read/)).toBeVisible();
});

test("a link to an early token of a long conversation shows it", async ({ explorer, page }) => {
  await beginLong(explorer, "Once there was ".repeat(120));
  await expect(page.getByText("Ended at the maximum of new tokens.")).toBeVisible({ timeout: 90_000 });
  const id = await conversationOf(page);
  await page.goto(new URL(`/?c=${id}&t=3`, page.url()).href);
  await expect(explorer.tokens.nth(3)).toBeInViewport();
  await expect(explorer.tokens.last()).not.toBeInViewport();
});
