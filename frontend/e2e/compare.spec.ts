/** Two timelines beside each other, as a person compares them, against the server's own numbers. */
import type { Locator } from "@playwright/test";
import { align } from "../src/features/pair/alignment";
import { DIFFERENCE, DIVERGING, rampStep, roundUp } from "../src/charts/colour/colour";
import { formatNats, formatProbability, formatRank } from "../src/model/format";
import { type Schemas, conversationOf, post } from "./api";
import { type ExplorerPage, activate, expect, seriousViolations, test, pick } from "./page";

const A = "The capital of France is Paris. The capital of Italy is";
const B = "The capital of France is Paris. The capital of Spain is";

/** Where the cells are, as charts/heatmap/geometry.ts has it. */
const LABEL_WIDTH = 68;
const HEAD_HEIGHT = 56;
const CELL_HEIGHT = 22;
const CELL_WIDTH = 92;

const grid = ({ evidence }: ExplorerPage): Locator => evidence.getByRole("grid");
const activeCell = (explorer: ExplorerPage): Locator => grid(explorer).getByRole("gridcell");
const isRead = ({ evidence }: ExplorerPage) =>
  expect(evidence.getByText(/^(\d+) of \1 pairs read/)).toBeVisible();
const choose = ({ evidence }: ExplorerPage, name: string | RegExp, label: string) =>
  pick(evidence.getByRole("combobox", { name, exact: true }), label);

interface Compared {
  readonly whole: Schemas["CompareResponse"];
  readonly idsB: number[];
  /** Column of each pair in the grid. */
  readonly columns: number[];
}

/** A completion, and its prompt with a word changed beside it; what the server says of all pairs. */
async function compareTexts(explorer: ExplorerPage): Promise<Compared> {
  const { page } = explorer;
  await page.getByRole("radio", { name: "Completion" }).click();
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "3" });
  await explorer.say(A);
  await page.getByRole("tab", { name: "Compare" }).click();
  const box = explorer.evidence.getByRole("textbox", { name: /with a word changed/ });
  await expect(box).toHaveValue(A);
  await explorer.evidence.getByRole("switch", { name: "then A’s reply" }).click();
  await box.fill(B);
  await box.press("Enter");
  await isRead(explorer);

  const own = await post<Schemas["LensReadResponse"]>(page, "/api/lens", {
    conversation_id: await conversationOf(page),
    positions: [0, 1],
    layers: [0],
  });
  const other = await post<Schemas["LensReadResponse"]>(page, "/api/lens", {
    prompt: B,
    positions: [0, 1],
    layers: [0],
  });
  const idsB = other.tokens.map((token) => token.id);
  const alignment = align(
    own.tokens.map((token) => token.id),
    idsB,
  );
  const pairs = alignment.columns.flatMap((each, column) =>
    each.a === null || each.b === null ? [] : [{ positions: [each.a, each.b], column }],
  );
  const whole = await post<Schemas["CompareResponse"]>(page, "/api/compare", {
    a: { conversation_id: await conversationOf(page) },
    b: { token_ids: idsB },
    positions: pairs.map((pair) => pair.positions),
    include_tokens: false,
  });
  return { whole, idsB, columns: pairs.map((pair) => pair.column) };
}

/** Colour of a cell that is in view, read above its text. */
async function colourAt(explorer: ExplorerPage, column: number, row: number): Promise<string> {
  const left = await grid(explorer).evaluate((element) => element.scrollLeft);
  return explorer.evidence.locator("canvas:has(~ [role=grid])").evaluate(
    (canvas: HTMLCanvasElement, at) => {
      const rgb = canvas.getContext("2d")?.getImageData(at.x, at.y, 1, 1).data.slice(0, 3) ?? [];
      return `#${Array.from(rgb, (channel) => channel.toString(16).padStart(2, "0")).join("")}`;
    },
    {
      x: LABEL_WIDTH + column * CELL_WIDTH - left + 20,
      y: HEAD_HEIGHT + row * CELL_HEIGHT + 2,
    },
  );
}

/** Moves the keyboard's cell to a column of the output's row. */
async function goTo(explorer: ExplorerPage, column: number): Promise<void> {
  await grid(explorer).press("Control+Home");
  for (let step = 0; step < column; step += 1) await grid(explorer).press("ArrowRight");
}

for (const theme of ["light", "dark"] as const) {
  test.describe(theme, () => {
    test.use({ colorScheme: theme });

    test("every number and colour on the screen is the server's", async ({ explorer, page }) => {
      const { whole, idsB, columns } = await compareTexts(explorer);
      const last = whole.layers.length - 1;
      const pair = whole.positions.length - 1;
      const [atA = 0, atB = 0] = whole.positions[pair] ?? [];
      // Where nothing is selected it is the first pair that parts at the output: here the end of both prompts.
      expect(idsB).toHaveLength(atB + 1);
      await expect(activeCell(explorer)).toContainText(`A read at index ${atA}`);
      await expect(activeCell(explorer)).toContainText(
        `Jensen–Shannon ${formatNats(whole.js_nats[last]?.[pair] ?? null)} nats`,
      );
      const measures = explorer.evidence.getByLabel("Measures");
      await expect(measures).toContainText(formatNats(whole.kl_a_to_b_nats[last]?.[pair] ?? null));
      await expect(measures).toContainText(formatNats(whole.kl_b_to_a_nats[last]?.[pair] ?? null));
      await expect(measures).toContainText(formatNats(whole.js_nats[last]?.[pair] ?? null));

      // The first layer from which on the first choices differ, up to the output.
      const differs = whole.layers.map(
        (_, row) => whole.a_top_id[row]?.[pair] !== whole.b_top_id[row]?.[pair],
      );
      const from = differs.lastIndexOf(false) + 1;
      expect(differs.at(-1)).toBe(true);
      expect(from).toBeGreaterThan(0);
      await expect(
        explorer.evidence.getByText(
          new RegExp(
            `^(Index ${atA + 1}|A ${atA + 1} \\| B ${atB + 1}): From layer ${from} up to the output.* the two predict different`,
          ),
        ),
      ).toBeVisible();

      // Both sides, read on their own.
      for (const [name, source, at] of [
        ["A", { conversation_id: await conversationOf(page) }, atA],
        ["B", { token_ids: idsB }, atB],
      ] as const) {
        const lens = await post<Schemas["LensReadResponse"]>(page, "/api/lens", {
          ...source,
          positions: [at, at + 1],
          top_k: 5,
        });
        const side = explorer.evidence.getByRole("region", { name: `Predictions of ${name}` });
        await expect(side.getByRole("listitem")).toHaveCount(5);
        for (const [k, probability] of (lens.top_probabilities[last]?.[0] ?? []).entries()) {
          await expect(side.getByRole("listitem").nth(k)).toContainText(formatProbability(probability));
        }
        await expect(side).toContainText(`entropy ${formatNats(lens.entropy_nats[last]?.[0] ?? null)} nats`);
      }

      await goTo(explorer, columns[pair] ?? 0);
      for (const row of [0, 3, last]) {
        const step = rampStep({ kind: "linear", dark: 0, bright: Math.LN2 }, whole.js_nats[row]?.[pair] ?? 0);
        await expect
          .poll(() => colourAt(explorer, columns[pair] ?? 0, last - row))
          .toBe(DIFFERENCE[theme].fill[step]);
      }
      expect(explorer.complaints).toEqual([]);
    });

    test("a token's probability is that of two separate reads, its difference has their sign", async ({
      explorer,
      page,
    }) => {
      const { whole, idsB, columns } = await compareTexts(explorer);
      const last = whole.layers.length - 1;
      const pair = whole.positions.length - 1;
      const [atA = 0, atB = 0] = whole.positions[pair] ?? [];
      await choose(explorer, "difference", "Probability of a token");
      const search = explorer.evidence.getByRole("combobox", { name: "or one of the vocabulary" });
      await search.fill("Madrid");
      const found = explorer.evidence.getByRole("listbox", { name: "Tokens" });
      await found
        .getByRole("option", { name: /^·Madrid/ })
        .first()
        .click();
      await search.press("Escape");
      await isRead(explorer);
      const chosen = explorer.evidence.getByRole("combobox", { name: "token", exact: true });
      const id = Number(await chosen.getAttribute("value"));

      const reads: { probability: number; rank: number; at: number[] }[] = [];
      for (const [source, at] of [
        [{ conversation_id: await conversationOf(page) }, atA],
        [{ token_ids: idsB }, atB],
      ] as const) {
        const lens = await post<Schemas["LensReadResponse"]>(page, "/api/lens", {
          ...source,
          positions: [at, at + 1],
          targets: [id],
        });
        const target = lens.targets[0];
        reads.push({
          probability: target?.probability[last]?.[0] ?? Number.NaN,
          rank: target?.rank[last]?.[0] ?? 0,
          at: (target?.probability ?? []).map((row) => row[0] ?? Number.NaN),
        });
      }
      const [a, b] = reads;
      if (a === undefined || b === undefined) throw new Error("no read");
      expect(b.probability).toBeGreaterThan(a.probability + 0.1);
      const measures = explorer.evidence.getByLabel("Measures");
      await expect(measures).toContainText(
        `token in A${formatProbability(a.probability)}, rank ${formatRank(a.rank)}`,
      );
      await expect(measures).toContainText(
        `token in B${formatProbability(b.probability)}, rank ${formatRank(b.rank)}`,
      );
      await expect(measures).toContainText(`B minus A+${formatProbability(b.probability - a.probability)}`);

      // The scale ends where the values of all pairs do, the embedding's left out.
      const all = await post<Schemas["CompareResponse"]>(page, "/api/compare", {
        a: { conversation_id: await conversationOf(page) },
        b: { token_ids: idsB },
        positions: whole.positions,
        targets: [id],
        include_tokens: false,
      });
      const sizes = (all.targets[0]?.a_probability ?? [])
        .slice(1)
        .flatMap((row, i) =>
          row.map((own, j) => Math.abs((all.targets[0]?.b_probability[i + 1]?.[j] ?? 0) - own)),
        );
      const end = roundUp(Math.max(...sizes));
      await goTo(explorer, columns[pair] ?? 0);
      const value = (b.at[last] ?? 0) - (a.at[last] ?? 0);
      const step = rampStep({ kind: "linear", dark: -end, bright: end }, value);
      await expect.poll(() => colourAt(explorer, columns[pair] ?? 0, 0)).toBe(DIVERGING[theme].fill[step]);
      expect(explorer.complaints).toEqual([]);
    });

    test("the table has the server's numbers, and its rows select as the cells do", async ({
      explorer,
      page,
    }) => {
      const hand = theme === "light" ? "mouse" : "keyboard";
      const { whole, columns } = await compareTexts(explorer);
      await choose(explorer, "difference", "KL(A ‖ B)");
      await activate(explorer.evidence.getByRole("button", { name: "Table" }), hand);
      const table = explorer.evidence.getByRole("region", { name: "Table of cells" });
      // The page with the keyboard's cell: the end of both prompts, where the two part.
      const said = explorer.evidence.getByText(/^Column \d+ to \d+/);
      await expect(said).toBeVisible();
      const pair = whole.positions.length - 1;
      expect(whole.kl_a_to_b_nats.at(-1)?.[pair]).not.toBe(whole.kl_b_to_a_nats.at(-1)?.[pair]);
      const [atA = 0] = whole.positions[pair] ?? [];
      const column = table.locator(`tbody[data-position="${columns[pair] ?? -1}"]`);
      const layers = whole.layers.map((_, row) => row).toReversed();
      const numbers = (): Promise<(string | null)[][]> =>
        column
          .locator("tr")
          .evaluateAll((rows) =>
            rows.map((row) => Array.from(row.querySelectorAll("td"), (cell) => cell.textContent)),
          );
      const text = (id: number | undefined): string =>
        `${whole.vocabulary[`${id}`]?.replaceAll(" ", "·")} ${id}`;
      const expected = layers.map((row) => [
        text(whole.a_top_id[row]?.[pair]),
        formatProbability(whole.a_top_probability[row]?.[pair] ?? null),
        text(whole.b_top_id[row]?.[pair]),
        formatProbability(whole.b_top_probability[row]?.[pair] ?? null),
        formatNats(whole.js_nats[row]?.[pair] ?? null),
        formatNats(whole.kl_a_to_b_nats[row]?.[pair] ?? null),
        formatNats(whole.kl_b_to_a_nats[row]?.[pair] ?? null),
      ]);
      await expect.poll(numbers).toEqual(expected);

      // The fourth row from the top, three below the output.
      const layer = layers[3] ?? 0;
      const row = column.locator("tr").nth(3);
      if (hand === "mouse") await row.locator("td").nth(4).click();
      else {
        await table.focus();
        // Tab goes to the row of the keyboard's cell, which is the output's.
        await page.keyboard.press("Tab");
        await expect(column.locator("tr").first().getByRole("button")).toBeFocused();
        for (let step = 0; step < 3; step += 1) await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Enter");
        await expect(row.getByRole("button")).toBeFocused();
      }
      await expect(page).toHaveURL(new RegExp(`t=${atA + 1}&l=${layer}(&|$)`));
      await expect(row).toHaveAttribute("aria-current", "true");
      await expect(activeCell(explorer)).toContainText(`Layer ${layer}, A read at index ${atA}`);
      expect(await seriousViolations(page)).toEqual([]);
      expect(explorer.complaints).toEqual([]);
    });

    for (const [name, viewport] of Object.entries({
      wide: { width: 1440, height: 900 },
      phone: { width: 390, height: 844 },
    })) {
      test.describe(name, () => {
        test.use({ viewport });

        test("nothing serious for axe, and nothing wider than the window", async ({ explorer, page }) => {
          // On a phone they stand behind a button, and the grid has their room.
          const chooseMeasure = async (label: string, option: string): Promise<void> => {
            if (name === "wide") {
              await choose(explorer, label, option);
              return;
            }
            await explorer.evidence.getByRole("button", { name: "Look" }).click();
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
          const box = explorer.evidence.getByRole("textbox", { name: /with a word changed/ });
          await expect(box).toHaveValue("The capital of France is");
          await check();
          await box.fill("The capital of the Netherlands is");
          await explorer.evidence.getByRole("button", { name: "Compare" }).click();
          await isRead(explorer);
          await check();
          const { y = 0 } = (await grid(explorer).boundingBox()) ?? {};
          expect(y, "the grid begins on the screen").toBeLessThan(viewport.height - 100);
          await chooseMeasure("difference", "Probability of a token");
          await chooseMeasure("layers", "one of A, one of B");
          await check();
          // The grid scrolls, and both rows of tokens with it.
          await chooseMeasure("layers", "each with itself");
          await grid(explorer).press("Control+End");
          const scrolled = await grid(explorer).evaluate((element) => element.scrollLeft);
          expect(scrolled).toBeGreaterThan(0);
          await choose(explorer, /B:/, "another conversation");
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
  await expect(explorer.evidence.getByRole("combobox", { name: "branch" })).toContainText(/France/);
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

test("a layer beside the output is what the heatmap calls its KL to final", async ({ explorer, page }) => {
  await compareTexts(explorer);
  await choose(explorer, /B:/, "itself");
  await choose(explorer, "difference", "KL(B ‖ A)");
  await isRead(explorer);
  const lens = await post<Schemas["LensReadResponse"]>(page, "/api/lens", {
    conversation_id: await conversationOf(page),
    top_k: 1,
  });
  await goTo(explorer, 3);
  const output = lens.layers.length - 1;
  for (const layer of [output, output - 1, output - 2, output - 3]) {
    const shown = lens.kl_to_final_nats[layer]?.[3] ?? Number.NaN;
    await expect(activeCell(explorer)).toContainText(`Layer ${layer} | ${output},`);
    await expect(activeCell(explorer)).toContainText(`KL(B ‖ A) ${formatNats(shown)} nats`);
    await grid(explorer).press("ArrowDown");
  }
  expect(explorer.complaints).toEqual([]);
});
