import { expect, seriousViolations, test, pick } from "./page";

const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const;

for (const theme of ["light", "dark"] as const) {
  for (const [name, viewport] of Object.entries(SIZES)) {
    // Each once: contrast is a matter of the theme, room of the width.
    if ((theme === "light") !== (name === "wide")) continue;
    test.describe(`${theme}, ${name}`, () => {
      test.use({ colorScheme: theme, viewport });

      test("no serious violation on any screen, and nothing wider than the window", async ({
        explorer,
        page,
      }) => {
        test.slow(); // axe looks at each element of a dozen screens
        const check = async (): Promise<void> => {
          expect(await seriousViolations(page)).toEqual([]);
          const width = await page.evaluate(() => document.documentElement.scrollWidth);
          expect(width).toBeLessThanOrEqual(viewport.width);
        };
        await check();

        await explorer.setSampling({ Temperature: "0", "Max new tokens": "10" });
        await explorer.say("The capital of France is");
        await check();

        await pick(page.getByLabel("Colour by").first(), "surprisal");
        await explorer.tokens.nth(4).click();
        await expect(explorer.evidence.getByText(/predicts index/).first()).toBeVisible();
        await check();

        await page.getByRole("tab", { name: "Heatmap" }).click();
        await expect(explorer.evidence.getByRole("grid")).toBeVisible();
        await check();
        await explorer.evidence.getByRole("button", { name: "Table" }).click();
        await explorer.evidence.getByRole("grid").press("Shift+ArrowLeft");
        const look = explorer.evidence.getByRole("button", { name: "Display options" });
        // On a phone the colours are chosen there too.
        if (name === "phone") await look.click();
        await pick(page.getByRole("combobox", { name: "highlight" }), "output");
        await pick(page.getByRole("combobox", { name: "coloured by" }), "kl");
        if (name !== "phone") await look.click();
        await check();
        await page.keyboard.press("Escape");
        await explorer.evidence.getByRole("button", { name: "Table" }).click();

        await page.getByRole("tab", { name: "Trajectories" }).click();
        await expect(explorer.evidence.getByRole("slider", { name: "Layer" })).toBeVisible();
        await check();
        await explorer.evidence.getByRole("button", { name: /^Pin all/ }).click();
        await explorer.evidence.getByRole("button", { name: "Table" }).click();
        await check();
        await explorer.evidence.getByRole("button", { name: "Unpin all" }).click();

        await explorer.evidence.getByRole("button", { name: "Branch" }).click();
        await expect(page.getByRole("dialog", { name: "Alternatives" })).toBeVisible();
        await check();
        await page.getByRole("button", { name: "Resample from here" }).click();
        await page.getByRole("button", { name: /^Branch 2 of 2/ }).click();
        await check();

        if (name === "phone") await page.getByRole("button", { name: "Conversations" }).click();
        await expect(page.getByRole("navigation", { name: "Conversations" })).toBeVisible();
        await check();
        await page
          .getByRole("button", { name: /^More for The capital/ })
          .first()
          .click();
        await expect(page.getByRole("menu")).toBeVisible();
        await check();
        await page.keyboard.press("Escape");
        if (name === "phone") await page.getByRole("button", { name: "Close", exact: true }).click();

        await page.getByRole("button", { name: /^Sampling/ }).click();
        await check();
      });
    });
  }
}

test("everything can be done by keyboard alone", async ({ explorer, page }) => {
  const { keyboard } = page;
  await keyboard.press("/");
  await expect(explorer.composer).toBeFocused();
  await keyboard.type("The capital of France is");
  await keyboard.press("Enter");
  await explorer.settled();
  await keyboard.press("Escape");

  // A token of the reply is selected when it has ended.
  await expect(page).toHaveURL(/[?&]t=\d+/);
  await page.getByRole("listbox", { name: "Tokens of the conversation" }).focus();
  await keyboard.press("Home");
  await expect(explorer.tokens.nth(0)).toHaveAttribute("aria-selected", "true");
  await keyboard.press("]");
  await expect(explorer.tokens.nth(1)).toHaveAttribute("aria-selected", "true");
  await keyboard.press("[");
  await expect(explorer.tokens.nth(0)).toHaveAttribute("aria-selected", "true");
  for (let step = 0; step < 4; step += 1) await keyboard.press("]");
  await keyboard.press("k");
  await expect(page).toHaveURL(/t=4&l=12/);
  await keyboard.press("j");
  await expect(page).toHaveURL(/t=4&l=11/);
  await keyboard.press("2");
  await expect(page.getByRole("tab", { name: "Heatmap" })).toHaveAttribute("aria-selected", "true");
  await keyboard.press("?");
  await expect(page.getByRole("dialog", { name: "Help" })).toBeVisible();
  await keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();

  const divider = page.getByRole("separator", { name: "Width of the conversation" });
  const before = Number(await divider.getAttribute("aria-valuenow"));
  await divider.focus();
  await keyboard.press("ArrowRight");
  await expect(divider).toHaveAttribute("aria-valuenow", `${before + 2}`);
  await page.reload();
  await expect(divider).toHaveAttribute("aria-valuenow", `${before + 2}`);
});

test("Escape stops a reply", async ({ explorer, page }) => {
  await explorer.beginLongReply("This is a long story.");
  await expect.poll(() => explorer.reply().getByRole("option").count()).toBeGreaterThan(2);
  await page.keyboard.press("Escape");
  await expect(page.getByText("Stopped; the text so far is kept.")).toBeVisible();
});

test.describe("on a phone", () => {
  test.use({ viewport: SIZES.phone });

  test("the evidence is a sheet that opens with the first token and can be closed", async ({
    explorer,
    page,
  }) => {
    await explorer.setSampling({ Temperature: "0", "Max new tokens": "8" });
    await explorer.say("Water is");
    await expect(page.getByRole("tab", { name: "Standard" })).toBeHidden();
    await explorer.tokens.nth(3).click();
    await expect(page.getByRole("tab", { name: "Standard" })).toBeVisible();
    await page.getByRole("button", { name: "Close the evidence" }).click();
    await expect(page.getByRole("tab", { name: "Standard" })).toBeHidden();
    await expect(page.getByRole("button", { name: /^Evidence for/ })).toBeVisible();
  });
});
