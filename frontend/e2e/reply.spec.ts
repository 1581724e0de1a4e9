/** B's own reply, written beside A: as A was written, saved for itself, and stopped or failed honestly. */
import type { Locator, Page } from "@playwright/test";
import { align } from "../src/features/pair/alignment";
import { formatNats } from "../src/model/format";
import { type Schemas, addressOf, conversationOf, get, post, selectedIndex } from "./api";
import {
  type ExplorerPage,
  WAYS,
  activate,
  expect,
  seriousViolations,
  test,
  pick,
  changeB,
  comparePrompt,
} from "./page";
import { startServer } from "./server";

const FRANCE = "The capital of France is";
const SPAIN = "The capital of Spain is";

const write = ({ evidence }: ExplorerPage): Locator =>
  evidence.getByRole("button", { name: "Compare", exact: true });
const panel = ({ evidence }: ExplorerPage): Locator =>
  evidence.getByRole("region", { name: "B’s own reply" });
const otherKind = ({ evidence }: ExplorerPage): Locator => evidence.getByRole("combobox", { name: "B:" });
const isRead = ({ evidence }: ExplorerPage) =>
  expect(evidence.getByText(/^(\d+) of \1 pairs read/)).toBeVisible();

const saved = (page: Page, id: string): Promise<Schemas["SavedConversation"]> =>
  get(page, `/api/conversations/${id}`);

const replyIds = ({ tokens, turns }: Schemas["SavedConversation"]): number[] =>
  tokens.slice(turns.at(-1)?.reply_start).map(({ id }) => id);

/** The id of what stands beside A, once the address names it. */
async function otherId(page: Page): Promise<string> {
  const named = async (): Promise<string> =>
    /^saved\.(.+)$/.exec((await addressOf(page)).get("vs") ?? "")?.[1] ?? "";
  await expect.poll(named).not.toBe("");
  return named();
}

/** A reply that was stopped early, by settings with which the next one takes long. */
async function sayLong(explorer: ExplorerPage): Promise<void> {
  const { page, tokens } = explorer;
  await explorer.beginLongReply(FRANCE);
  await expect.poll(() => tokens.count()).toBeGreaterThan(8);
  await page.getByRole("button", { name: "Stop" }).click();
  await explorer.settled();
}

for (const { hand, colorScheme } of WAYS) {
  test.describe(`${hand}, ${colorScheme}`, () => {
    test.use({ colorScheme });

    test("the same prompt is answered with the same tokens; another one becomes B, with the server's numbers", async ({
      explorer,
      page,
    }) => {
      await explorer.setSampling({ Temperature: "1.2", "Max new tokens": "12" });
      await explorer.say(FRANCE);
      // Keys are letters in the box where the message was written.
      await page.keyboard.press("Escape");
      await explorer.selectToken("France", hand);
      await explorer.openView("Compare", "5", hand);
      const a = await conversationOf(page);
      const ownTokens = await explorer.tokens.allTextContents();

      // The settings of now are not those of then.
      await explorer.setSampling({ Temperature: "0", "Max new tokens": "3" });
      await pick(explorer.evidence.getByRole("combobox", { name: "B’s reply" }), "sampled");
      await expect(write(explorer)).toBeEnabled();
      await activate(write(explorer), hand);
      await isRead(explorer);
      const same = await saved(page, await otherId(page));
      const own = await saved(page, a);
      expect(same.turns.at(-1)?.sampling).toEqual(own.turns.at(-1)?.sampling);
      expect(replyIds(same)).toEqual(replyIds(own));
      expect(replyIds(same).length).toBeGreaterThan(0);

      await changeB(explorer, "prompt");
      await comparePrompt(explorer, SPAIN, "sampled");
      await expect.poll(async () => (await addressOf(page)).get("vs")).not.toBe(`saved.${same.id}`);
      await isRead(explorer);
      const b = await saved(page, await otherId(page));
      expect(b.title).toBe(SPAIN);
      expect(b.turns.at(-1)?.sampling).toEqual(own.turns.at(-1)?.sampling);
      expect(b.branches).toHaveLength(1);

      // A, its place and the list: both are there, and A is the one that is shown.
      expect(await explorer.tokens.allTextContents()).toEqual(ownTokens);
      expect(await conversationOf(page)).toBe(a);
      const listed = page.getByRole("navigation", { name: "Conversations" }).getByRole("listitem");
      await expect(listed.filter({ hasText: SPAIN }).first()).toBeVisible();
      await expect(listed.filter({ has: page.locator("[aria-current]") })).toContainText(FRANCE);

      // A token that the two predict differently is selected, beside its counterpart.
      const { columns } = align(
        own.tokens.map(({ id }) => id),
        b.tokens.map(({ id }) => id),
      );
      const positions = columns.flatMap(({ a: inA, b: inB }) =>
        inA === null || inB === null ? [] : [[inA, inB]],
      );
      const whole = await post<Schemas["CompareResponse"]>(page, "/api/compare", {
        a: { conversation_id: a },
        b: { conversation_id: b.id },
        positions,
        include_tokens: false,
      });
      const [topA, topB] = [whole.a_top_id.at(-1), whole.b_top_id.at(-1)];
      const pairOf = (index: number): number => positions.findIndex(([inA = -1]) => inA + 1 === index);
      const differs = (pair: number): boolean => pair >= 0 && topA?.[pair] !== topB?.[pair];
      await expect.poll(async () => differs(pairOf(await selectedIndex(page)))).toBe(true);
      const selected = await selectedIndex(page);
      await expect(explorer.tokens.nth(selected)).toHaveAttribute("aria-selected", "true");
      await expect(explorer.evidence.getByLabel("Measures")).toContainText(
        `Jensen–Shannon, nats${formatNats(whole.js_nats.at(-1)?.[pairOf(selected)] ?? null)}`,
      );
      expect(await seriousViolations(page)).toEqual([]);

      // The address brings both back.
      await page.reload();
      await isRead(explorer);
      expect(await otherId(page)).toBe(b.id);
      expect(explorer.complaints).toEqual([]);
    });
  });
}

test("a reply is seen while it is written; it goes on beside another view, and Stop keeps what is there", async ({
  explorer,
  page,
}) => {
  await sayLong(explorer);
  await explorer.openView("Compare", "5", "mouse");
  await expect(write(explorer)).toBeEnabled();
  await comparePrompt(explorer, SPAIN, "sampled");
  await expect(panel(explorer)).toContainText("Generating B’s reply…");
  await expect(panel(explorer)).toContainText(/ of at most 900 tokens/);
  await expect(panel(explorer)).toContainText(/B’s settings: temperature 10, top-p 0.95, seed \d+/);
  expect(await seriousViolations(page)).toEqual([]);
  const count = async (): Promise<number> =>
    Number(/(\d+) of at most/.exec((await panel(explorer).textContent()) ?? "")?.[1]);
  const before = await count();
  await explorer.openView("Heatmap", "2", "keyboard");
  await explorer.openView("Compare", "5", "keyboard");
  await expect.poll(count).toBeGreaterThan(before);
  await page.keyboard.press("Escape");
  await isRead(explorer);
  const id = await otherId(page);
  // It counts as interrupted until the server has seen that it was stopped.
  await expect.poll(async () => (await saved(page, id)).turns.at(-1)?.finish_reason).toBe("cancelled");
  const b = await saved(page, id);
  expect(replyIds(b).length).toBeGreaterThan(before);
  // What was stopped is read before it is saved, and then asked for again.
  expect(explorer.complaints.filter((text) => !/status of (404|422)/.test(text))).toEqual([]);
});

test("a server that dies in the middle leaves no B behind; when it is back the reply can be asked for again", async ({
  explorer,
  page,
}) => {
  const first = await startServer("memory");
  await page.goto(first.url);
  await sayLong(explorer);
  await explorer.openView("Compare", "5", "mouse");
  await expect(write(explorer)).toBeEnabled();
  await comparePrompt(explorer, FRANCE, "sampled");
  await expect(panel(explorer)).toContainText("Generating B’s reply…");
  await first.kill();
  await expect(panel(explorer).getByRole("alert")).toContainText("B’s reply failed.");
  await expect(panel(explorer).getByRole("alert")).toContainText(/stream_cut|server_unreachable/);
  await expect(otherKind(explorer)).toContainText("a changed prompt");

  const second = await startServer("memory", Number(new URL(first.url).port));
  try {
    await expect(page.getByText("Ready", { exact: true })).toBeVisible();
    await panel(explorer).getByRole("button", { name: "Retry" }).click();
    await expect(panel(explorer)).toContainText("Generating B’s reply…");
    await panel(explorer).getByRole("button", { name: "Stop" }).click();
    expect(await saved(page, await otherId(page))).toMatchObject({ title: FRANCE });
  } finally {
    await second.stop();
  }
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test("the reply and the table fit, and nothing is serious for axe", async ({ explorer, page }) => {
    const fits = async (): Promise<void> => {
      expect(await seriousViolations(page)).toEqual([]);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(390);
    };
    await sayLong(explorer);
    await page.getByRole("button", { name: "Evidence" }).click();
    await page.getByRole("tab", { name: "Compare" }).click();
    await expect(write(explorer)).toBeEnabled();
    await comparePrompt(explorer, SPAIN, "sampled");
    await expect(panel(explorer)).toContainText("Generating B’s reply…");
    await fits();
    await expect(panel(explorer)).toContainText("Generating B’s reply…");
    await panel(explorer).getByRole("button", { name: "Stop" }).click();
    await isRead(explorer);
    await explorer.evidence.getByRole("button", { name: "Table" }).click();
    await expect(explorer.evidence.getByRole("region", { name: "Table of cells" })).toBeVisible();
    await fits();
  });
});
