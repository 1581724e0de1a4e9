import { formatProbability, formatRank } from "../src/model/format";
import { type Schemas, addressOf, get, lensOf } from "./api";
import { expect, seriousViolations, test } from "./page";

test("three examples open in one click and say what the running model shows", async ({ explorer, page }) => {
  const model = await get<Schemas["ModelInfo"]>(page, "/api/model_info");
  const examples = model.examples.slice(0, 3);
  expect(examples).toHaveLength(3);
  for (const example of examples) {
    await page
      .getByRole("navigation", { name: "Conversations" })
      .getByRole("button", { name: "New", exact: true })
      .click();
    await expect(page).not.toHaveURL(/[?&]c=/);
    // Saved conversations are listed beside the page by the same words.
    await page.getByRole("main").getByRole("button", { name: example.text }).click();
    const guide = page.getByRole("region", { name: "What to see" });
    await expect(guide.getByRole("listitem")).toHaveCount(5);
    await expect(guide).toContainText(example.note.replaceAll("“ ", "“·"));
    // The token that it is about is selected, and the numbers are the server's.
    await expect(explorer.evidence.getByRole("region", { name: "Selected layer" })).toBeVisible();
    await expect(page).toHaveURL(/[?&]c=.+&t=\d+&l=\d+/);
    const address = await addressOf(page);
    const index = Number(address.get("t"));
    const lens = await lensOf(page, { positions: [index - 1, index], top_k: 1 });
    const ranks = lens.next_rank.map((row) => row[0] ?? 0);
    const decided = ranks.findLastIndex((rank) => rank !== 1) + 1;
    expect(lens.tokens[index]?.text).toBe(example.watch);
    expect(address.get("l")).toBe(String(decided));
    const first = guide.getByRole("listitem").first();
    await expect(first).toContainText(`is top-1 from layer ${decided} on`);
    await expect(first).toContainText(formatProbability(lens.next_probability.at(-1)?.[0] ?? null));
    await expect(first).toContainText(`rank ${formatRank(ranks[decided - 1] ?? null)}`);
  }
  expect(await seriousViolations(page)).toEqual([]);
  await page.getByRole("button", { name: "Show it in Heatmap" }).click();
  await expect(page.getByRole("tab", { name: "Heatmap" })).toHaveAttribute("aria-selected", "true");
  expect(explorer.complaints).toEqual([]);
});

test("the palette opens over any focus, finds, acts and gives the focus back", async ({ explorer, page }) => {
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "8" });
  await explorer.say("The capital of France is");
  await explorer.composer.focus();
  await page.keyboard.press("Control+k");
  const find = page.getByRole("combobox", { name: "Find a command" });
  await expect(find).toBeFocused();
  expect(await seriousViolations(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await expect(explorer.composer).toBeFocused();

  for (const [typed, check] of [
    ["4", () => expect(page).toHaveURL(/[?&]t=4(&|$)/)],
    ["heatmap", () => expect(explorer.evidence.getByRole("grid")).toBeVisible()],
    [
      "colour entropy heatmap",
      () =>
        expect(explorer.evidence.getByRole("combobox", { name: "coloured by" })).toHaveAttribute(
          "value",
          "entropy",
        ),
    ],
    ["tuned", () => expect(page).toHaveURL(/[?&]lens=tuned(&|$)/)],
    ["dark", () => expect(page.locator("html")).toHaveAttribute("data-theme", "dark")],
  ] as const) {
    await page.keyboard.press("Control+k");
    await find.fill(typed);
    await page.keyboard.press("Enter");
    await expect(find).toBeHidden();
    await check();
  }
  expect(await seriousViolations(page)).toEqual([]);
  await page.keyboard.press("Control+k");
  await find.fill("export csv");
  const [download] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  expect(download.suggestedFilename()).toMatch(/_heatmap_.*_tuned\.csv$/);
});

for (const viewport of [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
]) {
  test.describe(`${viewport.width} px wide`, () => {
    test.use({ viewport });
    test("the tour runs an example and points at a real token, row and tab, inside the window", async ({
      explorer,
      page,
    }) => {
      await page.getByRole("button", { name: "Take the tour" }).click();
      await expect(page.getByRole("region", { name: "Every word is a prediction" })).toBeVisible({
        timeout: 90_000,
      });
      const places = [
        explorer.tokens.and(page.locator("[aria-selected=true]")),
        explorer.evidence.locator("[data-part=layer]").first(),
        page.getByRole("tab", { name: "Trajectories" }),
        explorer.evidence.locator("[data-tour=export]"),
        explorer.composer,
      ];
      for (const [at, place] of places.entries()) {
        const counter = page.getByText(`${at + 1} of ${places.length}`);
        const box = await page.locator("section").filter({ has: counter }).last().boundingBox();
        expect(box?.x).toBeGreaterThanOrEqual(0);
        expect(box?.y).toBeGreaterThanOrEqual(0);
        expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(viewport.width);
        expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThanOrEqual(viewport.height);
        await expect(place).toBeInViewport();
        await expect(page.getByText("It is not on the screen now")).toBeHidden();
        if (at < places.length - 1) await page.getByRole("button", { name: "Next" }).click();
      }
      expect(await seriousViolations(page)).toEqual([]);
      await page.getByRole("button", { name: "Done" }).click();
      await explorer.open();
      await expect(page.getByRole("heading", { name: "Send a text, then select any word" })).toBeVisible();
      await expect(page.getByRole("button", { name: "Take the tour" })).toBeHidden();
    });
  });
}

test("each view states its limitations", async ({ explorer, page }) => {
  for (const view of ["Standard", "Heatmap", "Trajectories"]) {
    await page.getByRole("tab", { name: view }).click();
    await explorer.evidence.getByRole("button", { name: "Limitations" }).click();
    const note = page.getByRole("dialog", { name: `${view}: limitations` });
    await expect(note.getByRole("link")).toHaveAttribute("href", /^https:/);
    expect(await seriousViolations(page)).toEqual([]);
    await page.keyboard.press("Escape");
  }
});
