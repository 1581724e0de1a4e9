/** Compare as a person uses it: the way to a difference, by mouse and keyboard, on a wide screen and on a phone. */
import type { Page } from "@playwright/test";
import { type Schemas, conversationOf, get, post } from "./api";
import {
  CELL_HEIGHT,
  CELL_WIDTH,
  HEAD_HEIGHT,
  LABEL_WIDTH,
  activeCell,
  choose,
  compareTexts,
  grid,
  isRead,
} from "./comparing";
import { changeB, comparePrompt, expect, pick, seriousViolations, test } from "./page";

test("from a finished chat to the answers that differ in four actions, past the country that both repeat", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "12" });
  await explorer.say("What is the capital of France?");
  const a = await conversationOf(page);
  let actions = 0;
  const act = async (action: Promise<unknown>): Promise<void> => {
    actions += 1;
    await action;
  };
  await act(page.getByRole("button", { name: "Compare with…" }).click());
  const chip = page.getByRole("dialog", { name: "Compare with" });
  await act(chip.getByRole("button", { name: "France", exact: true }).click());
  await act(page.keyboard.type("Spain"));
  await act(page.keyboard.press("Enter"));
  expect(actions).toBeLessThanOrEqual(4);

  await isRead(explorer);
  const b = /vs=saved\.([\w-]+)/.exec(page.url())?.[1] ?? "";
  const n = Math.min(...(await Promise.all([a, b].map((id) => nTokens(page, id)))));
  const whole = await post<Schemas["CompareResponse"]>(page, "/api/compare", {
    a: { conversation_id: a },
    b: { conversation_id: b },
    positions: Array.from({ length: n }, (_, at) => [at, at]),
    include_tokens: false,
  });
  const output = whole.layers.length - 1;
  const differs = (layer: number, at: number): boolean =>
    whole.a_top_id[layer]?.[at] !== whole.b_top_id[layer]?.[at];
  const first = whole.positions.findLastIndex((_, at) => differs(output, at));
  const from = whole.layers.findLastIndex((_, layer) => !differs(layer, first)) + 1;
  const text = (id: number | undefined): string => (whole.vocabulary[`${id}`] ?? "").replace(" ", "·");
  await expect(explorer.evidence.getByText(`At index ${first + 1}`).locator("..")).toHaveText(
    `At index ${first + 1} A predicts “${text(whole.a_top_id[output]?.[first])}”, B “${text(whole.b_top_id[output]?.[first])}”; they differ from layer ${from} on.`,
  );
  const differing = whole.positions.flatMap((_, at) =>
    differs(output, at) ? [[text(whole.a_top_id[output]?.[at]), text(whole.b_top_id[output]?.[at])]] : [],
  );
  expect(differing).toEqual([
    ["·France", "·Spain"],
    ["·Paris", "·Madrid"],
  ]);
  await expect(page).toHaveURL(new RegExp(`[?&]t=${first + 1}(&|$)`));
  await expect(activeCell(explorer)).toContainText(`A read at index ${first} `);
  // In view, with room on both sides.
  const left = await grid(explorer).evaluate((element) => element.scrollLeft);
  expect(first * CELL_WIDTH - left).toBeGreaterThanOrEqual(CELL_WIDTH);

  // The pair is there in every view and after a reload, until it is ended.
  await page.getByRole("tab", { name: "Standard" }).click();
  await page.reload();
  await expect(page.getByRole("button", { name: "vs B What is the capital of Spain?" })).toBeVisible();
  // Beside all of that the selected token keeps its name, also in a panel that the list of conversations has narrowed.
  await page.setViewportSize({ width: 1280, height: 720 });
  const selected = explorer.evidence.getByRole("heading", { name: /^Selected token/ }).getByRole("button");
  await expect.poll(() => selected.evaluate((name) => name.scrollWidth <= name.clientWidth)).toBe(true);
  await page.getByRole("button", { name: "A only · Compare" }).click();
  await isRead(explorer);
  await page.getByRole("button", { name: "End the comparison" }).click();
  await expect(page).not.toHaveURL(/vs=/);
  expect(explorer.complaints).toEqual([]);
});

const nTokens = async (page: Page, id: string): Promise<number> =>
  (await get<Schemas["SavedConversation"]>(page, `/api/conversations/${id}`)).tokens.length;

for (const theme of ["light", "dark"] as const) {
  test.describe(theme, () => {
    test.use({ colorScheme: theme });

    for (const [name, viewport] of Object.entries({
      wide: { width: 1440, height: 900 },
      phone: { width: 390, height: 844 },
    })) {
      // Each once: contrast is a matter of the theme, room of the width.
      if ((theme === "light") !== (name === "wide")) continue;
      test.describe(name, () => {
        test.use({ viewport });

        test("nothing serious for axe, and nothing wider than the window", async ({ explorer, page }) => {
          // On a phone they stand behind a button, and the grid has their room.
          const chooseMeasure = async (label: string, option: string): Promise<void> => {
            if (name === "wide") {
              await choose(explorer, label, option);
              return;
            }
            await explorer.evidence.getByRole("button", { name: "Display options" }).click();
            await pick(page.getByRole("combobox", { name: label, exact: true }), option);
            await check();
            await page.keyboard.press("Escape");
          };
          const check = async (): Promise<void> => {
            expect(await seriousViolations(page)).toEqual([]);
            const width = await page.evaluate(() => document.documentElement.scrollWidth);
            expect(width).toBeLessThanOrEqual(viewport.width);
          };
          await explorer.setSampling({ Temperature: "0", "Max new tokens": "6" });
          await explorer.say("The capital of France is");
          await explorer.tokens.nth(4).click();
          await page.getByRole("tab", { name: "Compare" }).click();
          await expect(explorer.evidence.getByRole("button", { name: "France", exact: true })).toBeVisible();
          await check();
          await comparePrompt(explorer, "The capital of the Netherlands is", "none");
          await isRead(explorer);
          await check();
          const { y = 0 } = (await grid(explorer).boundingBox()) ?? {};
          expect(y, "the grid begins on the screen").toBeLessThan(viewport.height - 100);
          await chooseMeasure("difference", "Probability of a token");
          await chooseMeasure("layers", "one layer each");
          await check();
          // The grid scrolls, and both rows of tokens with it.
          await chooseMeasure("layers", "same layer");
          await grid(explorer).press("Control+End");
          const scrolled = await grid(explorer).evaluate((element) => element.scrollLeft);
          expect(scrolled).toBeGreaterThan(0);
          await changeB(explorer, "saved");
          await explorer.evidence.getByRole("button", { name: "Choose…" }).click();
          await expect(page.getByRole("dialog", { name: "Saved conversations" })).toBeVisible();
          await check();
        });
      });
    }
  });
}

test("the keyboard goes from difference to difference, and the page's selection goes along", async ({
  explorer,
  page,
}) => {
  const { whole } = await compareTexts(explorer);
  const last = whole.layers.length - 1;
  const differing = whole.positions.filter((_, i) => whole.a_top_id[last]?.[i] !== whole.b_top_id[last]?.[i]);
  expect(differing.length).toBeGreaterThan(0);
  await page.keyboard.press("Escape");
  await page.keyboard.press(".");
  const [firstA = -1, firstB = -1] = differing[0] ?? [];
  await expect(activeCell(explorer)).toContainText(`A read at index ${firstA}`);
  await expect(activeCell(explorer)).toContainText(`B read at index ${firstB}`);
  // What A predicts there is selected, in the text as well.
  await expect(page).toHaveURL(new RegExp(`t=${firstA + 1}(&|$)`));
  await expect(explorer.tokens.nth(firstA + 1)).toHaveAttribute("aria-selected", "true");
  // From the page to the view: the token before is predicted one column to the left.
  await page.keyboard.press("[");
  await expect(activeCell(explorer)).toContainText(`A read at index ${firstA - 1}`);
  await page.keyboard.press("j");
  await expect(activeCell(explorer)).toContainText(/^Layer 1[12],/);
  await grid(explorer).press("ArrowUp");
  await grid(explorer).press("ArrowRight");
  await grid(explorer).press("Enter");
  await expect(page).toHaveURL(new RegExp(`t=${firstA + 1}&l=12`));

  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: /command/i }).fill("compare kl a");
  await page.keyboard.press("Enter");
  await expect(explorer.evidence.getByRole("combobox", { name: "difference" })).toHaveAttribute(
    "value",
    "kl_a_to_b",
  );
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: /command/i }).fill("swap");
  await page.keyboard.press("Enter");
  await expect(explorer.evidence.getByRole("combobox", { name: "difference" })).toHaveAttribute(
    "value",
    "kl_b_to_a",
  );
  expect(explorer.complaints).toEqual([]);
});

test("a click on a column selects A's token; another branch stands there from the start", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "6" });
  await explorer.say("The capital of France is");
  await page.getByRole("button", { name: "Edit message" }).click();
  await explorer.say("The capital of Italy is");
  await page.getByRole("tab", { name: "Compare" }).click();
  await isRead(explorer);
  await expect(explorer.evidence.getByText(/^branch .*France/)).toBeVisible();
  const left = await grid(explorer).evaluate((element) => element.scrollLeft);
  const column = Math.floor(left / CELL_WIDTH) + 2;
  await grid(explorer).click({
    position: { x: LABEL_WIDTH + (column + 0.5) * CELL_WIDTH - left, y: HEAD_HEIGHT + 1.5 * CELL_HEIGHT },
  });
  await expect(page).toHaveURL(new RegExp(`t=${column + 1}&l=11`));
  await expect(activeCell(explorer)).toContainText(`Layer 11, A read at index ${column}`);
  // What was typed or chosen is there again after another view.
  await page.keyboard.press("1");
  await page.keyboard.press("5");
  await isRead(explorer);
  await expect(activeCell(explorer)).toContainText(`A read at index ${column}`);
  expect(explorer.complaints).toEqual([]);
});
