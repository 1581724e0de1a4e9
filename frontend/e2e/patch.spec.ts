/** Patching in the page: the map's numbers against the API's, a patch by hand, and a map that is paused and cancelled. */
import type { Locator } from "@playwright/test";
import { formatScore } from "../src/model/format";
import { type Schemas, addressOf, get, post } from "./api";
import { WAYS, activate, comparePrompt, expect, seriousViolations, test } from "./page";

type Job = Schemas["JobInfo"];

for (const { hand, colorScheme } of WAYS) {
  test.describe(`${colorScheme}, by ${hand}`, () => {
    // A finger drags as well.
    test.use({ colorScheme, hasTouch: hand === "mouse" });

    test("the map shows which word carries the country, and a state goes where it is put", async ({
      explorer,
      page,
    }) => {
      const { evidence } = explorer;
      await explorer.setSampling({ Temperature: "0", "Max new tokens": "8" });
      await explorer.say("The capital of France is");
      if (hand === "keyboard") await page.keyboard.press("Escape");
      if (hand === "mouse") await page.getByRole("button", { name: "Change", exact: true }).click();
      await explorer.openView("Patch", "9", hand);
      await comparePrompt(explorer, "The capital of Spain is", "greedy");
      await activate(evidence.getByRole("button", { name: "Map every position" }), hand);
      await expect(evidence.getByText(/rank correlation of/)).toBeVisible();

      const { result, assumed } = await get<Job>(page, `/api/jobs/${(await addressOf(page)).get("job")}`);
      const cell = (layer: number, pair: number): Locator =>
        evidence.locator(`[data-layer="${layer}"][data-pair="${pair}"]`);
      const row = result.layers.indexOf(6);
      const scores = result.scores[row] ?? [];
      const country = scores.findIndex((score) => score === Math.max(...scores.map((each) => each ?? 0)));
      for (const pair of [country - 1, country, country + 1]) {
        await expect(cell(6, pair)).toHaveAccessibleName(
          new RegExp(`score ${formatScore(scores[pair] ?? Number.NaN)}$`),
        );
      }
      const [ofA = -1, ofB = -1] = result.positions[country] ?? [];
      expect(assumed.clean.tokens[ofA]?.id).not.toBe(assumed.corrupt.tokens[ofB]?.id);

      // The country's vector, into its own place and then into the one after it.
      const grid = evidence.getByRole("grid", { name: /^Causal map/ });
      const run = evidence.getByRole("region", { name: "Patched run" });
      if (hand === "mouse") await cell(6, country).click();
      else {
        await grid.focus();
        await page.keyboard.press("Home");
        for (let i = 0; i < country; i += 1) await page.keyboard.press("ArrowRight");
        for (let layer = result.layers.length - 1; layer > 6; layer -= 1)
          await page.keyboard.press("ArrowDown");
        await page.keyboard.press("Enter");
      }
      await expect(run).toContainText(`Score ${formatScore(scores[country] ?? Number.NaN)}`);
      if (hand === "mouse") await cell(6, country).dragTo(cell(6, country + 1));
      else {
        await grid.focus();
        await page.keyboard.press("p");
        await page.keyboard.press("ArrowRight");
        await page.keyboard.press("p");
      }
      const moved = await post<Schemas["PatchResponse"]>(page, "/api/patch", {
        clean: { token_ids: assumed.clean.tokens.map(({ id }) => id) },
        corrupt: { token_ids: assumed.corrupt.tokens.map(({ id }) => id) },
        site: "resid",
        layer: 6,
        positions: [[ofA, result.positions[country + 1]?.[1]]],
        direction: "denoise",
        answer: result.answer?.token_id,
        foil: result.foil?.token_id,
      });
      await expect(run).toContainText(`Score ${formatScore(moved.score)}`);
      expect(await seriousViolations(page)).toEqual([]);
      if (hand === "keyboard") return;
      await cell(6, country).tap();
      await expect(run).toContainText(`Score ${formatScore(scores[country] ?? Number.NaN)}`);
      await dragByTouch(cell(6, country), cell(6, country + 1));
      await expect(run).toContainText(`Score ${formatScore(moved.score)}`);
    });
  });
}

test("a map of longer texts opens where they differ, with a scale, and is read with the pointer", async ({
  explorer,
  page,
}) => {
  const { evidence } = explorer;
  const long = (country: string): string =>
    `${"Both of the texts begin with this sentence. ".repeat(8)}The capital of ${country} is`;
  await page.getByRole("radio", { name: "Completion" }).click();
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "4" });
  await explorer.say(long("France"));
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await explorer.openView("Patch", "9", "mouse");
  await comparePrompt(explorer, long("Spain"), "greedy");
  await activate(evidence.getByRole("button", { name: "Map every position" }), "mouse");
  await expect(evidence.getByText(/rank correlation of/)).toBeVisible();

  const { result, assumed } = await get<Job>(page, `/api/jobs/${(await addressOf(page)).get("job")}`);
  const changed = result.positions.findIndex(
    ([a, b]) => assumed.clean.tokens[a]?.id !== assumed.corrupt.tokens[b]?.id,
  );
  expect(changed).toBeGreaterThan(30);
  const cell = (pair: number): Locator => evidence.locator(`[data-layer="6"][data-pair="${pair}"]`);
  await expect(cell(changed)).toBeInViewport({ ratio: 1 });
  await expect(cell(changed)).toHaveAttribute("title", /^Layer 6, “·France” in A, “·Spain” in B: score /);
  await expect(evidence.getByRole("figure", { name: "Colour scale: Score" })).toBeVisible();
  // What is scrolled away does not show beside the names of the layers.
  const { left, y } = await evidence.getByRole("rowheader", { name: "Layer 6" }).evaluate((label) => ({
    left: label.getBoundingClientRect().left,
    y: label.getBoundingClientRect().y + 5,
  }));
  const panel = (await evidence.boundingBox())?.x ?? 0;
  expect(left).toBeLessThanOrEqual(panel + 1);
  expect(
    await page.evaluate(([x, yy]) => document.elementFromPoint(x, yy)?.getAttribute("role"), [
      panel + 4,
      y,
    ] as const),
  ).toBe("rowheader");
  // Keys bring what they lead to into view.
  await evidence.getByRole("grid", { name: /^Causal map/ }).focus();
  await page.keyboard.press("Home");
  await expect(evidence.locator('[data-layer="12"][data-pair="0"]')).toBeInViewport({ ratio: 1 });
});

/** As a finger does, for which Playwright has taps only. */
async function dragByTouch(from: Locator, to: Locator): Promise<void> {
  const page = from.page();
  const middles = await Promise.all(
    [from, to].map(async (cell) => {
      const { x = 0, y = 0, width = 0, height = 0 } = (await cell.boundingBox()) ?? {};
      return { x: x + width / 2, y: y + height / 2 };
    }),
  );
  const finger = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", touchPoints: typeof middles) =>
    finger.send("Input.dispatchTouchEvent", { type, touchPoints });
  await touch("touchStart", middles.slice(0, 1));
  await touch("touchMove", middles.slice(1));
  await touch("touchEnd", []);
}

test.describe("with a finger as well", () => {
  test.use({ hasTouch: true });

  test("a map is paused, goes on, and is cancelled, and the model answers at once", async ({
    explorer,
    page,
  }) => {
    const { evidence } = explorer;
    // So long that no machine is done before the next button is pressed: several thousand cells.
    const long = (country: string, capital: string): string =>
      `${`The capital of ${country} is ${capital}. `.repeat(60)}The capital of ${country} is`;
    await page.getByRole("radio", { name: "Completion" }).click();
    await explorer.setSampling({ Temperature: "0", "Max new tokens": "4" });
    await explorer.say(long("France", "Paris"));
    await page.getByRole("button", { name: "Change", exact: true }).click();
    await explorer.openView("Patch", "9", "mouse");
    // So long a prompt is edited as text from the start.
    await evidence.getByRole("textbox", { name: "The prompt of B" }).fill(long("Spain", "Madrid"));
    await evidence.getByRole("button", { name: "Compare", exact: true }).click();
    const button = (name: string): Locator => evidence.getByRole("button", { name, exact: true });
    const isPaused = () => expect(evidence.getByText(/cells, paused$/)).toBeVisible();
    await button("Map every position").tap();
    await button("Pause").tap();
    await isPaused();
    const id = (await addressOf(page)).get("job");
    const { progress } = await get<Job>(page, `/api/jobs/${id}`);
    await button("Resume").tap();
    await expect
      .poll(async () => (await get<Job>(page, `/api/jobs/${id}`)).progress)
      .toBeGreaterThan(progress);
    // The same with the keyboard, and with the mouse.
    await activate(button("Pause"), "keyboard");
    await isPaused();
    await activate(button("Resume"), "keyboard");
    await button("Pause").click();
    await isPaused();
    await button("Cancel").tap();
    await expect(evidence.getByText(/cells, cancelled$/)).toBeVisible();
    const health = await get<Schemas["Health"]>(page, "/api/health");
    expect(health.queue.running).toBe(0);
  });
});
