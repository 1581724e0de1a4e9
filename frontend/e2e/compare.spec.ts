/** Every number and colour of Compare, against the server's own. */
import { DIFFERENCE, DIVERGING, rampStep, roundUp } from "../src/charts/colour/colour";
import { formatNats, formatProbability, formatRank } from "../src/model/format";
import { type Schemas, conversationOf, post } from "./api";
import { activeCell, choose, colourAt, compareTexts, goTo, grid, isRead } from "./comparing";
import { activate, changeB, expect, seriousViolations, test } from "./page";

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

      // The first layer from which on the top-1 predictions differ, up to the output.
      const differs = whole.layers.map(
        (_, row) => whole.a_top_id[row]?.[pair] !== whole.b_top_id[row]?.[pair],
      );
      const from = differs.lastIndexOf(false) + 1;
      expect(differs.at(-1)).toBe(true);
      expect(from).toBeGreaterThan(0);
      await expect(
        explorer.evidence.getByText(
          new RegExp(
            `^At index ${atA + 1}( of A and ${atB + 1} of B)? A predicts .*; they differ from layer ${from} on`,
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
      // One token is compared: the list has done its work.
      await expect(found).toBeHidden();
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
  });
}

test("a layer beside the output is what the heatmap calls its KL to final", async ({ explorer, page }) => {
  await compareTexts(explorer);
  await changeB(explorer, "same");
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
