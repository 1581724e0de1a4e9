import type { Locator } from "@playwright/test";
import {
  formatLogprob,
  formatNats,
  formatProbability,
  formatRank,
  formatShortProbability,
} from "../src/model/format";
import { addressOf, lensOf, selectedIndex } from "./api";
import { WAYS, activate, expect, test, pick } from "./page";

const GREEDY = { Temperature: "0", "Max new tokens": "12" };

/** Predictions in each row of the Standard view, as its head says: as many of the five as fit. */
async function shownIn(table: Locator): Promise<number> {
  const head = table.getByRole("columnheader", { name: /^top \d/ });
  const count = Number(/^top (\d+)/.exec((await head.textContent()) ?? "")?.[1]);
  expect(count).toBeGreaterThanOrEqual(3);
  return count;
}

for (const { hand, colorScheme } of WAYS) {
  test.describe(`${colorScheme}, by ${hand}`, () => {
    test.use({ colorScheme });

    test("every number of the Standard view is the server's", async ({ explorer, page }) => {
      await explorer.setSampling(GREEDY);
      await explorer.say("The capital of France is");
      if (hand === "keyboard") await page.keyboard.press("Escape");
      for (const [direction, offset] of [
        ["How it was predicted", -1],
        ["What it predicts", 0],
      ] as const) {
        await explorer.selectToken("France", hand);
        await activate(page.getByRole("radio", { name: direction }), hand);
        await expect(explorer.evidence.getByRole("listitem").first()).toBeVisible();
        const position = (await selectedIndex(page)) + offset;
        const lens = await lensOf(page, { positions: [position, position + 1] });
        await expect(explorer.evidence.getByText(new RegExp(`^read at index ${position} `))).toBeVisible();
        const table = explorer.evidence.getByRole("table").first();
        const rows = table.getByRole("row");
        const details = explorer.evidence.getByRole("region", { name: "Selected layer" });
        const nShown = await shownIn(table);
        for (const [i, layer] of lens.layers.toReversed().entries()) {
          const row = rows.nth(i + 1);
          await expect(row.getByRole("rowheader")).toHaveText(lens.labels[layer] ?? "");
          const chips = row.getByRole("listitem");
          await expect(chips).toHaveCount(nShown);
          const probabilities = lens.top_probabilities[layer]?.[0] ?? [];
          const ids = lens.top_ids[layer]?.[0] ?? [];
          expect(ids).toHaveLength(5);
          for (const [k, probability] of probabilities.slice(0, nShown).entries()) {
            await expect(chips.nth(k)).toContainText(formatShortProbability(probability));
            await expect(chips.nth(k)).toHaveAttribute(
              "title",
              new RegExp(`probability ${formatProbability(probability)} · id ${ids[k] ?? "missing"} `),
            );
          }
          // The details have all five.
          await activate(row.getByRole("button"), hand);
          await expect(details.locator("td:nth-child(3)")).toHaveText(ids.map(String));
          await expect(details.locator("td:nth-child(4)")).toHaveText(probabilities.map(formatProbability));
          await expect(details.locator("td:nth-child(5)")).toHaveText(probabilities.map(formatLogprob));
          const cells = row.getByRole("cell");
          await expect(cells.nth(1)).toContainText(`#${formatRank(lens.next_rank[layer]?.[0] ?? null)}`);
          await expect(cells.nth(1)).toContainText(
            formatProbability(lens.next_probability[layer]?.[0] ?? null),
          );
          await expect(cells.nth(2)).toHaveText(formatNats(lens.entropy_nats[layer]?.[0] ?? null));
          await expect(cells.nth(3)).toHaveText(formatNats(lens.kl_to_final_nats[layer]?.[0] ?? null));
        }
      }
      expect(explorer.complaints).toEqual([]);
    });
  });
}

test("a click on a cell of the heatmap selects the token that its column predicts", async ({
  explorer,
  page,
}) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("The capital of France is");
  await explorer.tokens.nth(3).click();
  await page.keyboard.press("2");
  const grid = explorer.evidence.getByRole("grid");
  await expect(explorer.evidence.getByText(/(\d+) of \1 positions read/)).toBeVisible();
  await grid.click({ position: { x: 200, y: 120 } });
  const cell = await grid.getByRole("gridcell").textContent();
  const [, layer, readAt, predicts] =
    /^Layer (\d+), read at index (\d+) .*? predicts index (\d+)/.exec(cell ?? "") ?? [];
  expect(Number(predicts)).toBe(Number(readAt) + 1);
  await expect.poll(() => selectedIndex(page)).toBe(Number(predicts));
  expect((await addressOf(page)).get("l")).toBe(layer);

  // The same cell in the Standard view has the same first choice.
  await page.keyboard.press("1");
  await expect(explorer.evidence.getByText(new RegExp(`^read at index ${readAt ?? ""} `))).toBeVisible();
  const firstChoice = /probability ([^;]+);/.exec(cell ?? "")?.[1];
  const row = explorer.evidence
    .getByRole("row")
    .filter({ has: page.getByRole("button", { name: `Layer ${layer ?? ""}`, exact: true }) });
  await expect(row.getByRole("listitem").first()).toHaveAttribute(
    "title",
    new RegExp(`probability ${firstChoice ?? "missing"} `),
  );
});

for (const { hand, colorScheme } of WAYS) {
  test.describe(`${colorScheme}, by ${hand}`, () => {
    test.use({ colorScheme });

    test("a token that was found in the vocabulary is followed with the server's numbers", async ({
      explorer,
      page,
    }) => {
      await explorer.setSampling(GREEDY);
      await explorer.say("The capital of France is");
      if (hand === "keyboard") await page.keyboard.press("Escape");
      await explorer.selectToken("France", hand);
      await explorer.openView("Trajectories", "3", hand);
      const values = explorer.evidence.getByRole("region", { name: "Values" });
      await expect(values.getByRole("rowheader")).toHaveCount(5);
      await expect(explorer.evidence.getByText(/^Nothing is pinned/)).toBeVisible();

      const search = explorer.evidence.getByRole("combobox", { name: /Pin a token/ });
      await search.fill("the");
      const option = explorer.evidence.getByRole("listbox").getByRole("option").first();
      const id = Number(/id (\d+)/.exec((await option.textContent()) ?? "")?.[1]);
      await (hand === "mouse" ? option.click() : search.press("Enter"));
      await search.press("Escape");
      // The actual token keeps a line of its own.
      await expect(values.getByRole("rowheader")).toHaveCount(2);
      await expect(page).toHaveURL(new RegExp(`[?&]pin=${id}(&|$)`));

      const position = (await selectedIndex(page)) - 1;
      const { tokens } = await lensOf(page, { positions: [position, position + 1] });
      const targets = [tokens[position + 1]?.id ?? -1, id];
      const lens = await lensOf(page, { positions: [position, position + 1], targets });
      const [actual, target] = lens.targets;
      await activate(explorer.evidence.getByRole("button", { name: "Table" }), hand);
      const rows = explorer.evidence.getByRole("table", { name: /^Every layer/ }).getByRole("row");
      for (const [metric, kind, format] of [
        ["Probability", "probability", formatProbability],
        ["Log-prob.", "probability", formatLogprob],
        ["Rank", "rank", formatRank],
      ] as const) {
        await activate(explorer.evidence.getByRole("radio", { name: metric }), hand);
        for (const [i, layer] of lens.layers.toReversed().entries()) {
          const numbers = [actual, target].map((each) => format(each?.[kind][layer]?.[0] ?? null));
          await expect(rows.nth(i + 1).getByRole("cell")).toHaveText(numbers);
        }
      }

      // The chart is back in the table's place.
      await activate(explorer.evidence.getByRole("button", { name: "Table" }), hand);
      await explorer.evidence.getByRole("slider", { name: "Layer" }).press("End");
      await expect.poll(async () => (await addressOf(page)).get("l")).toBe(String(lens.layers.length - 1));

      // The pin survives a reload: the address names it.
      await page.reload();
      await expect(values.getByRole("rowheader")).toHaveCount(2);
      await expect(values.getByRole("rowheader").first()).toContainText("actual");
      await expect(values.getByRole("rowheader").last()).toContainText(target?.text.trim() ?? "missing");

      // Without the actual token's line, which the address says too.
      await activate(explorer.evidence.getByRole("switch", { name: "Always show the actual token" }), hand);
      await expect(values.getByRole("rowheader")).toHaveCount(1);
      await expect(page).toHaveURL(/[?&]actual=off(&|$)/);
      await expect(explorer.evidence.getByText(/the actual token, is not among the lines/)).toBeVisible();
      expect(explorer.complaints).toEqual([]);
    });
  });
}

test("a fitted lens shows its own numbers in every row but the output's", async ({ explorer, page }) => {
  await explorer.setSampling(GREEDY);
  await explorer.say("The capital of France is");
  await explorer.tokens.filter({ hasText: "France" }).first().click();
  const index = await selectedIndex(page);
  await pick(explorer.evidence.getByRole("combobox", { name: "Lens" }), "tuned");
  const tuned = await lensOf(page, { positions: [index - 1, index], kind: "tuned" });
  const logit = await lensOf(page, { positions: [index - 1, index] });
  expect(tuned.entropy_nats[6]).not.toEqual(logit.entropy_nats[6]);
  for (const layer of [3, 6, 12]) {
    const row = explorer.evidence
      .getByRole("row")
      .filter({ has: page.getByRole("button", { name: `Layer ${layer}`, exact: true }) });
    await expect(row).toContainText(formatNats(tuned.entropy_nats[layer]?.[0] ?? null));
    await expect(row).toContainText(formatNats(tuned.kl_to_final_nats[layer]?.[0] ?? null));
  }

  await expect(page).toHaveURL(/[?&]lens=tuned(&|$)/);
  await pick(explorer.evidence.getByRole("combobox", { name: "Lens" }), "logit");
  await expect(page).not.toHaveURL(/lens=/);
  await explorer.open(`?lens=tuned&${(await addressOf(page)).toString()}`);
  await expect(explorer.evidence.getByRole("combobox", { name: "Lens" })).toHaveAttribute("value", "tuned");
});

test("half a character is predicted as its bytes, in every view", async ({ explorer, page }) => {
  const hex = (base64: string): string => Buffer.from(base64, "base64").toString("hex").toUpperCase();
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "2" });
  await explorer.say("Hello 🙂🙂!");
  const { tokens } = await lensOf(page);
  const position = tokens.findIndex(({ bytes }) => hex(bytes) === "9F");
  await explorer.tokens.nth(position + 1).click();
  const lens = await lensOf(page, { positions: [position, position + 1] });
  expect(Object.keys(lens.vocabulary_bytes).length).toBeGreaterThan(3);
  await expect(explorer.evidence.getByText(new RegExp(`^read at index ${position} `))).toBeVisible();
  const table = explorer.evidence.getByRole("table").first();
  const rows = table.getByRole("row");
  const nShown = await shownIn(table);
  for (const [i, layer] of lens.layers.toReversed().entries()) {
    const row = rows.nth(i + 1);
    for (const [k, id] of (lens.top_ids[layer]?.[0] ?? []).slice(0, nShown).entries()) {
      const base64 = lens.vocabulary_bytes[String(id)];
      const bytes = base64 ?? Buffer.from(lens.vocabulary[String(id)] ?? "").toString("base64");
      const chip = row.getByRole("listitem").nth(k);
      await expect(chip).toHaveAttribute(
        "title",
        new RegExp(`bytes ${hex(bytes).replace(/..(?=.)/g, "$& ")}( ·|$)`),
      );
      if (base64 !== undefined) await expect(chip).toContainText(`\\x${hex(base64).slice(-2)}`);
    }
  }
  for (const view of ["Standard", "Heatmap", "Trajectories", "Layers", "Compare"]) {
    await explorer.openView(view, "", "mouse");
    const isRead = explorer.evidence.getByText(/^(\d+) of \1 (positions|pairs) read/);
    if (view === "Heatmap" || view === "Layers") await expect(isRead).toBeVisible();
    if (view === "Trajectories") await expect(explorer.evidence.getByRole("rowheader")).toHaveCount(5);
    await expect(explorer.evidence).toContainText("\\x");
    await expect(explorer.evidence).not.toContainText("\ufffd");
  }
  expect(explorer.complaints).toEqual([]);
});
