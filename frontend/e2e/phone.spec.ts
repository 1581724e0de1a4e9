/** The page on a phone: under a finger, upright and on its side, with the keyboard open and closed. */
import type { Locator, Page } from "@playwright/test";
import { type ExplorerPage, comparePrompt, expect, seriousViolations, test, pick } from "./page";

const UPRIGHT = { width: 390, height: 844 };
const SMALL = { width: 360, height: 640 };
/** Wide enough for two columns, but low. */
const SIDEWAYS = { width: 844, height: 390 };
/** Smallest side of what a finger presses, in px. */
const FINGER = 44;
/** One line of text with its frame. */
const SLIM = 52;

const heightOf = async (element: Locator): Promise<number> => (await element.boundingBox())?.height ?? 0;

/** A short conversation in chat mode, written by touch. */
async function begin(explorer: ExplorerPage): Promise<void> {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "8" });
  await explorer.composer.fill("The capital of France is");
  await explorer.page.getByRole("button", { name: "Send" }).tap();
  await explorer.settled();
}

/** What can be pressed in the evidence and is smaller than a fingertip; a switch is as large as its label. */
const tooSmall = ({ evidence }: ExplorerPage): Promise<string[]> =>
  evidence.evaluate(
    (sheet, least) =>
      Array.from(sheet.querySelectorAll("button, select, input, textarea, [role=tab]"))
        // The button in the head of a layer's row does what the whole row does.
        .map((control) => control.closest("label:has([role=switch]), [data-part=layer]") ?? control)
        .filter((target) => target.checkVisibility() && target.getClientRects().length > 0)
        .filter((target) => {
          const { width, height } = target.getBoundingClientRect();
          return Math.min(width, height) < least;
        })
        .map((target) => target.outerHTML.slice(0, 120)),
    FINGER,
  );

/** The tabs of which a part is scrolled out of their line, or out of the screen. */
const cutTabs = (page: Page): Promise<string[]> =>
  page.getByRole("tablist", { name: "Views" }).evaluate((list) => {
    const line = list.getBoundingClientRect();
    return Array.from(list.querySelectorAll("[role=tab]"))
      .filter((tab) => {
        const { left, right } = tab.getBoundingClientRect();
        return left < line.left - 0.5 || right > Math.min(line.right, window.innerWidth) + 0.5;
      })
      .map((tab) => tab.textContent);
  });

interface BarRow {
  readonly probability: number;
  readonly bar: number;
  readonly track: number;
  /** Where the number ends. */
  readonly end: number;
  readonly canContinue: boolean;
}

/** The predictions of these lists, each with its bar as it is drawn, in px. */
const barRows = (lists: Locator): Promise<BarRow[]> =>
  lists.evaluateAll((all) =>
    all
      .flatMap((list) => Array.from(list.querySelectorAll("li")))
      .map((row) => {
        const [, , track, number] = Array.from(row.children);
        return {
          // What is nearly 1 is written as “>0.999”.
          probability: Number(number?.textContent.replace(">", "")),
          bar: track?.firstElementChild?.getBoundingClientRect().width ?? 0,
          track: track?.getBoundingClientRect().width ?? 0,
          end: number?.getBoundingClientRect().right ?? 0,
          canContinue: row.querySelector("[aria-label^='Continue with']") !== null,
        };
      }),
  );

/** Each bar is as long as its number says, and the numbers are one column. */
function checkBars(rows: readonly BarRow[]): void {
  const [first] = rows;
  if (first === undefined) throw new Error("there are no predictions");
  for (const { probability, bar, track, end } of rows) {
    expect(track).toBeGreaterThan(20);
    expect(Math.abs(bar - probability * first.track)).toBeLessThan(0.25);
    expect(Math.abs(end - first.end)).toBeLessThan(0.25);
  }
}

test.use({ hasTouch: true, isMobile: true, viewport: UPRIGHT });

for (const [viewport, colorScheme] of [
  [UPRIGHT, "light"],
  [SMALL, "dark"],
] as const) {
  test.describe(`${viewport.width} by ${viewport.height}, ${colorScheme}`, () => {
    test.use({ viewport, colorScheme });

    test("the evidence has the room while it is read, and gives it back to who writes", async ({
      explorer,
      page,
    }) => {
      await begin(explorer);
      const { composer, evidence } = explorer;
      const sampling = page.getByRole("button", { name: /^Sampling/ });
      const wide = await heightOf(composer.locator(".."));
      const draft = "A draft of two lines.\nThe second.";
      await composer.fill(draft);

      await explorer.tokens.nth(5).tap();
      await expect(page.getByRole("tab", { name: "Standard" })).toBeVisible();
      await expect.poll(() => heightOf(composer.locator(".."))).toBeLessThan(SLIM);
      expect(wide).toBeGreaterThan(1.5 * SLIM);
      expect(await heightOf(evidence)).toBeGreaterThan(0.6 * viewport.height);
      // What was selected can still be seen, and be pressed.
      await explorer.tokens.nth(4).tap();
      await expect(explorer.tokens.nth(4)).toHaveAttribute("aria-selected", "true");
      await expect(composer).toHaveValue(draft);
      expect(await seriousViolations(page)).toEqual([]);

      await composer.tap();
      await expect(composer).toBeFocused();
      await expect(page.getByRole("tab", { name: "Standard" })).toBeHidden();
      await expect.poll(() => heightOf(composer.locator(".."))).toBeGreaterThan(wide);
      await expect(sampling).toBeInViewport();
      await expect(composer).toHaveValue(draft);
      // As when the keyboard opens: both the text and the way to send it stay in view.
      await page.setViewportSize({ ...viewport, height: viewport.height - 300 });
      await expect(composer).toBeInViewport({ ratio: 1 });
      await expect(page.getByRole("button", { name: "Send" })).toBeInViewport({ ratio: 1 });
      await page.setViewportSize(viewport);

      await page.getByRole("button", { name: /^Evidence for/ }).tap();
      await expect(page.getByRole("tab", { name: "Standard" })).toBeVisible();
      await expect(composer).toHaveValue(draft);
      await expect.poll(() => heightOf(composer.locator(".."))).toBeLessThan(SLIM);
      await page.getByRole("button", { name: "Close the evidence" }).tap();
      await expect.poll(() => heightOf(composer.locator(".."))).toBeGreaterThan(wide);
    });

    test("what is pressed in the evidence is as large as a fingertip, and nothing is wider than the screen", async ({
      explorer,
      page,
    }) => {
      await begin(explorer);
      await explorer.tokens.nth(5).tap();
      for (const view of ["Standard", "Heatmap", "Trajectories", "Layers", "Compare"]) {
        await page.getByRole("tab", { name: view }).tap();
        await expect(page.getByRole("tabpanel", { name: view })).toBeVisible();
        await expect.poll(() => cutTabs(page)).toEqual([]);
        await expect(explorer.evidence.getByText(/^(Opening|Reading)/)).toHaveCount(0);
        await expect.poll(() => tooSmall(explorer)).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
      }
    });
  });
}

for (const viewport of [UPRIGHT, SMALL, { width: 1440, height: 900 }]) {
  test.describe(`bars at ${viewport.width}`, () => {
    test.use({ viewport });

    test("are as long as their numbers say, with and without a button to continue", async ({
      explorer,
      page,
    }) => {
      await begin(explorer);
      const { evidence } = explorer;
      await explorer.tokens.filter({ hasText: /^ is$/ }).first().tap();
      await page.getByRole("tab", { name: "Heatmap" }).tap();
      // Further down the token that really follows is one of several that are likely.
      for (let i = 0; i < 8; i += 1) await page.keyboard.press("j");
      await expect(evidence.getByRole("region", { name: "Cell" })).toContainText("Layer 4 ");
      const list = evidence.getByRole("region", { name: "Cell" }).getByRole("list");
      await expect(async () => {
        const rows = await barRows(list);
        expect(rows.length).toBeGreaterThan(3);
        checkBars(rows);
        expect(new Set(rows.map((row) => row.canContinue)).size).toBe(2);
      }).toPass();

      await page.getByRole("tab", { name: "Compare" }).tap();
      await comparePrompt(explorer, "The capital of Italy is", "none");
      for (const side of ["A", "B"]) {
        const predictions = evidence.getByRole("region", { name: `Predictions of ${side}` });
        // What is read later takes the place of what was there.
        await expect(async () => {
          checkBars(await barRows(predictions.getByRole("list")));
        }).toPass();
      }
      const pair = evidence.getByRole("region", { name: "Pair" }).getByRole("list");
      await expect(async () => {
        const tracks = (await barRows(pair)).map(({ track }) => track);
        expect(Math.max(...tracks) - Math.min(...tracks)).toBeLessThan(0.25);
      }).toPass();
    });
  });
}

test("another conversation, or a new one, is seen though the evidence filled the screen", async ({
  explorer,
  page,
}) => {
  await begin(explorer);
  const fill = async (): Promise<void> => {
    await explorer.tokens.nth(5).tap();
    await page.getByRole("button", { name: "Fill the screen with the evidence" }).tap();
    await expect(explorer.tokens.nth(5)).not.toBeInViewport();
    await page.getByRole("button", { name: "Conversations" }).tap();
  };
  const list = page.getByRole("navigation", { name: "Conversations" });
  await fill();
  await list.getByRole("button", { name: "New", exact: true }).tap();
  await expect(list).toBeHidden();
  await expect(explorer.composer).toBeInViewport({ ratio: 1 });
  await expect(page.getByRole("tab", { name: "Standard" })).toBeHidden();
  await explorer.composer.fill("The capital of Italy is");
  await page.getByRole("button", { name: "Send" }).tap();
  await explorer.settled();

  await fill();
  await list
    .getByRole("button", { name: /France/ })
    .first()
    .tap();
  await expect(list).toBeHidden();
  await expect(explorer.tokens.filter({ hasText: "France" }).first()).toBeInViewport();
  await expect(page.getByRole("tab", { name: "Standard" })).toBeHidden();
});

test("at half its height the heatmap shows more than a few of its layers", async ({ explorer, page }) => {
  await begin(explorer);
  await explorer.tokens.nth(5).tap();
  await page.getByRole("tab", { name: "Heatmap" }).tap();
  const grid = explorer.evidence.getByRole("grid");
  await expect(grid).toBeVisible();
  // Heads take 56 px at the top of the grid, and a row 22.
  const rowsInView = async (): Promise<number> => {
    const box = await grid.boundingBox();
    return box === null ? 0 : (Math.min(box.y + box.height, UPRIGHT.height) - box.y - 56) / 22;
  };
  await expect.poll(rowsInView).toBeGreaterThan(6);
  await page.getByRole("button", { name: "Display options" }).tap();
  await pick(page.getByRole("combobox", { name: "coloured by" }), "kl");
  await page.keyboard.press("Escape");
  await expect(explorer.evidence.getByRole("figure", { name: /KL to final/ })).toBeVisible();
  // What the legend then says more takes no room from the grid.
  await expect.poll(rowsInView).toBeGreaterThan(6);
});

test("a reply that is being written can be stopped while evidence is read", async ({ explorer, page }) => {
  await explorer.beginLongReply("This is a long story.");
  await expect.poll(() => explorer.tokens.count()).toBeGreaterThan(8);
  await explorer.tokens.nth(2).tap();
  await expect(page.getByRole("tab", { name: "Standard" })).toBeVisible();
  await page.getByRole("button", { name: "Stop", exact: true }).tap();
  await explorer.settled();
});

test("a finding that is cut is shown in full by a press", async ({ explorer, page }) => {
  await begin(explorer);
  await explorer.tokens.nth(5).tap();
  await page.getByRole("button", { name: "Why", exact: true }).tap();
  const finding = explorer.evidence.locator("[data-part=finding]");
  const isCut = (): Promise<boolean> => finding.evaluate((line) => line.scrollWidth > line.clientWidth);
  await expect(finding).toContainText("most of all heads");
  await expect.poll(isCut).toBe(true);
  await explorer.evidence.getByRole("button", { name: "Show the whole sentence" }).tap();
  expect(await isCut()).toBe(false);
  await expect(finding).toBeInViewport({ ratio: 1 });
  await explorer.evidence.getByRole("button", { name: "Show one line of it" }).tap();
  await expect.poll(isCut).toBe(true);
});

test("a field in the evidence has all the room once the keyboard is open", async ({ explorer, page }) => {
  await begin(explorer);
  await explorer.tokens.nth(5).tap();
  await page.getByRole("tab", { name: "Trajectories" }).tap();
  const field = explorer.evidence.getByRole("combobox", { name: /Pin a token/ });
  await field.tap();
  await page.setViewportSize({ ...UPRIGHT, height: UPRIGHT.height - 336 });
  const header = page.locator("header").first();
  await expect
    .poll(async () => (await explorer.evidence.boundingBox())?.y === (await header.boundingBox())?.height)
    .toBe(true);
  await expect(field).toBeFocused();
  await expect(field).toBeInViewport({ ratio: 1 });
});

/** Moves a finger sideways over the grid, as the browser itself gets it, so that it may take it for scrolling. */
async function swipe(page: Page, grid: Locator, dx: number): Promise<void> {
  const box = await grid.boundingBox();
  if (box === null) throw new Error("there is no grid to swipe over");
  const session = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", x?: number) =>
    session.send("Input.dispatchTouchEvent", {
      type,
      touchPoints: x === undefined ? [] : [{ x, y: box.y + 100 }],
    });
  const from = box.x + box.width / 2 - dx / 2;
  await touch("touchStart", from);
  for (let step = 1; step <= 20; step += 1) await touch("touchMove", from + (dx * step) / 20);
  await touch("touchEnd");
  await session.detach();
}

const scrolledLeft = (grid: Locator): Promise<number> => grid.evaluate((element) => element.scrollLeft);

test("a range of the heatmap is chosen by pressing its first and its last column; a swipe scrolls", async ({
  explorer,
  page,
}) => {
  await begin(explorer);
  const { evidence } = explorer;
  await explorer.tokens.nth(2).tap();
  await page.getByRole("tab", { name: "Heatmap" }).tap();
  await page.getByRole("button", { name: "Fill the screen with the evidence" }).tap();
  const grid = evidence.getByRole("grid");
  await expect(evidence.getByText(/(\d+) of \1 positions read/)).toBeVisible();
  // Labels take 68 px at the left and heads 56 at the top; a cell is 64 by 22.
  const press = (position: number) =>
    grid.tap({ position: { x: 68 + (position + 0.5) * 64, y: 56 + 3.5 * 22 } });
  const range = evidence.getByRole("group", { name: "Range" });

  await evidence.getByRole("button", { name: "Select a range" }).tap();
  await expect(range).toContainText("Press the first column");
  await press(3);
  await expect(range).toContainText("Press the last column");
  await press(1);
  await expect(range).toContainText("Index 1 to 3, 3 positions");
  // Neither press selected a token.
  await expect(explorer.tokens.nth(2)).toHaveAttribute("aria-selected", "true");
  await range.getByRole("button", { name: "Clear" }).tap();
  await evidence.getByRole("button", { name: "Select a range" }).tap();
  await range.getByRole("button", { name: "Cancel" }).tap();
  await expect(range).toBeHidden();
  // From now on a press selects again.
  await press(3);
  await expect(explorer.tokens.nth(4)).toHaveAttribute("aria-selected", "true");

  await swipe(page, grid, -200);
  await expect.poll(() => scrolledLeft(grid)).toBeGreaterThan(100);
  await expect(range).toBeHidden();
});

test("a swipe scrolls the grid of a comparison", async ({ explorer, page }) => {
  await begin(explorer);
  await explorer.tokens.nth(2).tap();
  await page.getByRole("tab", { name: "Compare" }).tap();
  await page.getByRole("button", { name: "Fill the screen with the evidence" }).tap();
  await explorer.evidence.getByRole("button", { name: "France", exact: true }).tap();
  await page.keyboard.type("Italy");
  await explorer.evidence.getByRole("button", { name: "Compare", exact: true }).tap();
  const grid = explorer.evidence.getByRole("grid");
  await expect(explorer.evidence.getByText(/^(\d+) of \1 pairs read/)).toBeVisible();
  await grid.scrollIntoViewIfNeeded();
  // It goes by itself to where the two part, and may still be on its way.
  let before = Number.NaN;
  await expect
    .poll(async () => {
      const last = before;
      before = await scrolledLeft(grid);
      return before === last;
    })
    .toBe(true);
  await swipe(page, grid, before > 100 ? 160 : -160);
  await expect.poll(async () => Math.abs((await scrolledLeft(grid)) - before)).toBeGreaterThan(80);
});

test("a range of tokens is made by two presses, and a note is written on it", async ({ explorer, page }) => {
  await begin(explorer);
  const { evidence, tokens } = explorer;
  await tokens.nth(2).tap();
  await evidence.getByRole("button", { name: "More" }).tap();
  await page.getByRole("button", { name: "Select several tokens" }).tap();
  // The text has the room, with what is to do below it.
  await expect(
    evidence.getByText("Press the last token of the range").filter({ visible: true }),
  ).toBeVisible();
  await expect(page.getByRole("tab", { name: "Standard" })).toBeHidden();
  await tokens.nth(5).tap();
  await expect(page.getByRole("tab", { name: "Standard" })).toBeVisible();
  await expect(evidence.getByText(/^Range of/).filter({ visible: true })).toContainText("2 to 5");
  await evidence.getByRole("button", { name: "Note" }).tap();
  await expect(page.getByRole("dialog", { name: "New note" })).toContainText("2 to 5");
  await page.keyboard.press("Escape");
  await evidence.getByRole("button", { name: "More" }).tap();
  await page.getByRole("button", { name: "Select several tokens" }).tap();
  await evidence.getByRole("button", { name: "Cancel" }).tap();
  await tokens.nth(3).tap();
  await expect(tokens.and(page.locator("[aria-selected=true]"))).toHaveCount(1);
});

test.describe("on its side", () => {
  test.use({ viewport: SIDEWAYS, colorScheme: "dark" });

  test("the composer is one line beside the evidence, with everything it has elsewhere", async ({
    explorer,
    page,
  }) => {
    await begin(explorer);
    const { composer } = explorer;
    expect(await heightOf(composer.locator(".."))).toBeLessThan(SLIM);
    await explorer.tokens.nth(5).tap();
    await expect(explorer.evidence.getByText(/predicts index 5/).first()).toBeVisible();
    expect(await seriousViolations(page)).toEqual([]);
    await expect.poll(() => tooSmall(explorer)).toEqual([]);
    await composer.fill("One\nTwo\nThree");
    await expect(composer).toBeInViewport({ ratio: 1 });
    await expect(page.getByRole("button", { name: "Send" })).toBeInViewport({ ratio: 1 });
    await explorer.tokens.nth(4).tap();
    await expect.poll(() => heightOf(composer.locator(".."))).toBeLessThan(SLIM);
    await expect(composer).toHaveValue("One\nTwo\nThree");
  });
});
