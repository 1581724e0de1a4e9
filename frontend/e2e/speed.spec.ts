/** How fast the views are on a long conversation. The numbers are in the report's annotations. */
import { expect, test } from "./page";

// A trace takes pictures all the while, which would be measured too.
test.use({ trace: "off" });

/** A long text, so that a conversation of some 600 tokens needs no long reply. */
const LONG_TEXT = Array.from(
  { length: 34 },
  (_, i) => `In the year ${1900 + i} the river was high and the people of the town built a new bridge.`,
).join(" ");

test("600 tokens stay smooth: the heatmap scrolls and recolours, a click shows its layers", async ({
  explorer,
  page,
}, info) => {
  test.setTimeout(180_000);
  await page.getByRole("radio", { name: "Completion" }).click();
  await explorer.setSampling({ Temperature: "0", "Longest reply": "4" });
  await explorer.say(LONG_TEXT);
  const nTokens = await explorer.tokens.count();
  expect(nTokens).toBeGreaterThan(600);

  // Warm the model, then time a click on a token that was not read before.
  await explorer.tokens.nth(100).click();
  await expect(explorer.evidence.getByRole("listitem").first()).toBeVisible();
  const clicks: number[] = [];
  for (const index of [300, 420, 540]) {
    const token = explorer.tokens.nth(index);
    await token.scrollIntoViewIfNeeded();
    clicks.push(
      await token.evaluate(async (element) => {
        const started = performance.now();
        const target = (element as HTMLElement).dataset["index"] ?? "";
        (element as HTMLElement).click();
        const isShown = (): boolean =>
          document.querySelector("table[aria-busy=false] li") !== null &&
          document.body.textContent.includes(`predicts index ${target}`);
        do await new Promise(requestAnimationFrame);
        while (!isShown());
        return performance.now() - started;
      }),
    );
  }

  await page.keyboard.press("2");
  const readingSince = Date.now();
  await expect(explorer.evidence.getByText(`${nTokens} of ${nTokens} positions read`)).toBeVisible({
    timeout: 90_000,
  });
  const readingMs = Date.now() - readingSince;
  const { frames, recolour } = await explorer.evidence.getByRole("grid").evaluate(async (grid) => {
    const frame = (): Promise<number> => new Promise(requestAnimationFrame);
    grid.scrollLeft = 0;
    await frame();
    const deltas: number[] = [];
    let last = await frame();
    for (let i = 0; i < 180; i += 1) {
      grid.scrollLeft += (grid.scrollWidth - grid.clientWidth) / 180;
      const now = await frame();
      deltas.push(now - last);
      last = now;
    }
    const select = document.querySelector<HTMLSelectElement>("select:has(option[value=kl])");
    if (select === null) throw new Error("there is no choice of metric");
    const started = performance.now();
    // React listens to the native setter's change, not to the property it wraps.
    Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value")?.set?.call(select, "kl");
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await frame();
    await frame();
    return { frames: deltas.toSorted((a, b) => a - b), recolour: performance.now() - started };
  });
  await expect(page.getByRole("figure", { name: "Colour scale: KL to final" })).toBeVisible();

  const mean = frames.reduce((sum, delta) => sum + delta, 0) / frames.length;
  const at = (share: number): string => (frames[Math.floor(share * (frames.length - 1))] ?? 0).toFixed(1);
  info.annotations.push(
    { type: "tokens", description: String(nTokens) },
    { type: "click to layers, ms", description: clicks.map((ms) => ms.toFixed(0)).join(", ") },
    { type: "whole conversation read, ms", description: String(readingMs) },
    { type: "metric switch, ms", description: recolour.toFixed(0) },
    { type: "frames, ms", description: `median ${at(0.5)}, 95th ${at(0.95)}, worst ${at(1)}` },
    { type: "frames a second", description: (1000 / mean).toFixed(1) },
  );
});
