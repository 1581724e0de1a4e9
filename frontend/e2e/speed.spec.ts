/**
 * The views on a long conversation. How fast they are is measured where EXPLORER_E2E_MEASURE is set, the
 * numbers are then in the report's annotations: `EXPLORER_E2E_MEASURE=1 npx playwright test speed
 * --reporter json`, on a machine that does nothing else. For a deeper model than the embedded one, name its
 * folder in EXPLORER_E2E_MODEL.
 */
import type { Locator } from "@playwright/test";
import { formatCount } from "../src/model/format";
import { expect, test, pick } from "./page";

const IS_MEASURED = process.env["EXPLORER_E2E_MEASURE"] !== undefined;
/** From end to end: as a hand scrolls, or enough to draw each part. */
const N_FRAMES = IS_MEASURED ? 180 : 20;

// A trace takes pictures all the while, which would be measured too.
if (IS_MEASURED) test.use({ trace: "off" });

/** A long text, so that a conversation of some 1,000 tokens needs no long reply. */
const LONG_TEXT = Array.from(
  { length: 52 },
  (_, i) => `In the year ${1900 + i} the river was high and the people of the town built a new bridge.`,
).join(" ");

/** A deep model on a busy machine needs a while for a thousand positions. */
const READING_MS = 120_000;

interface Motion {
  readonly frames: readonly number[];
  readonly switches: readonly number[];
}

/** The value below which a share of the sorted `values` lies. */
const at = (values: readonly number[], share: number): string =>
  (values[Math.floor(share * (values.length - 1))] ?? 0).toFixed(1);

/** Scrolls from end to end, then colours by each metric in turn; times in milliseconds. */
const motionOf = (grid: Locator): Promise<Motion> =>
  grid.evaluate(async (element, nFrames) => {
    const frame = (): Promise<number> => new Promise(requestAnimationFrame);
    element.scrollLeft = 0;
    await frame();
    const frames: number[] = [];
    let last = await frame();
    for (let i = 0; i < nFrames; i += 1) {
      element.scrollLeft += (element.scrollWidth - element.clientWidth) / nFrames;
      const now = await frame();
      frames.push(now - last);
      last = now;
    }
    const select = document.querySelector<HTMLElement>("[role=combobox][aria-label='coloured by']");
    if (select === null) throw new Error("there is no choice of metric");
    const choices = async (): Promise<readonly HTMLElement[]> => {
      select.click();
      const shown = (): readonly HTMLElement[] =>
        Array.from(
          document.querySelectorAll<HTMLElement>("[role=listbox][aria-label='coloured by'] [role=option]"),
        );
      while (shown().length === 0) await frame();
      return shown();
    };
    const switches: number[] = [];
    let left = Number.POSITIVE_INFINITY;
    while (left > 0) {
      const shown = await choices();
      left = Math.min(left, shown.length) - 1;
      const started = performance.now();
      shown[left]?.click();
      await frame();
      await frame();
      switches.push(performance.now() - started);
    }
    return { frames: frames.toSorted((a, b) => a - b), switches };
  }, N_FRAMES);

test("1,000 tokens stay smooth: the heatmap scrolls and recolours, a click shows its layers", async ({
  explorer,
  page,
}, info) => {
  test.setTimeout(3 * READING_MS);
  await page.getByRole("radio", { name: "Completion" }).click();
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "4" });
  await explorer.say(LONG_TEXT);
  const nTokens = await explorer.tokens.count();
  expect(nTokens).toBeGreaterThan(950);

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
  await expect(
    explorer.evidence.getByText(`${formatCount(nTokens)} of ${formatCount(nTokens)} positions read`),
  ).toBeVisible({
    timeout: READING_MS,
  });
  const readingMs = Date.now() - readingSince;
  const grid = explorer.evidence.getByRole("grid");
  const plain = await motionOf(grid);

  // With everything on: a highlight, an outline, and the whole conversation as narrow as it gets.
  await pick(explorer.evidence.getByRole("combobox", { name: "highlight" }), "output");
  await explorer.evidence.getByRole("button", { name: /^Pin/ }).first().click();
  await pick(explorer.evidence.getByRole("combobox", { name: "outline", exact: true }), 1);
  await expect(explorer.evidence.getByText(/^Outlined/)).toBeVisible();
  await expect(explorer.evidence.getByText(/positions read for it/)).toBeHidden({ timeout: READING_MS });
  const decorated = await motionOf(grid);
  await explorer.evidence.getByRole("button", { name: "Fit", exact: true }).click();
  const narrow = await motionOf(grid);

  // What was read is kept: coming back draws it at once.
  await page.getByRole("tab", { name: "Standard" }).click();
  await expect(grid).toBeHidden();
  const firstDraw = await page.evaluate(async () => {
    const frame = (): Promise<number> => new Promise(requestAnimationFrame);
    const started = performance.now();
    const tab = Array.from(document.querySelectorAll("[role=tab]")).find(
      (each) => each.textContent === "Heatmap",
    );
    if (tab instanceof HTMLElement) tab.click();
    while (document.querySelector("[role=grid]") === null) await frame();
    await frame();
    await frame();
    return performance.now() - started;
  });
  await expect(grid).toBeVisible();

  const described = ({ frames, switches }: Motion): string =>
    `frames median ${at(frames, 0.5)}, 95th ${at(frames, 0.95)}, worst ${at(frames, 1)}; ` +
    `metric switch ${switches.map((ms) => ms.toFixed(0)).join(", ")}`;
  info.annotations.push(
    { type: "tokens", description: String(nTokens) },
    { type: "rows", description: (await grid.getAttribute("aria-rowcount")) ?? "" },
    { type: "click to layers, ms", description: clicks.map((ms) => ms.toFixed(0)).join(", ") },
    { type: "whole conversation read, ms", description: String(readingMs) },
    { type: "first draw of what is read, ms", description: firstDraw.toFixed(0) },
    { type: "plain, ms", description: described(plain) },
    { type: "highlight and outline, ms", description: described(decorated) },
    { type: "narrowest cells with both, ms", description: described(narrow) },
  );
});

interface Steps {
  /** Until what a step changed is laid out. */
  readonly work: readonly number[];
  /** Until the frame after the one that shows it. */
  readonly shown: readonly number[];
  /** Words that a step changed. */
  readonly changed: readonly number[];
}

/** Moves the slider up by keys, layer by layer; times in milliseconds. */
const stepsOf = (slider: Locator): Promise<Steps> =>
  slider.evaluate(async (element) => {
    const frame = (): Promise<number> => new Promise(requestAnimationFrame);
    const press = (key: string): boolean =>
      element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    press("Home");
    await frame();
    await frame();
    const work: number[] = [];
    const shown: number[] = [];
    const changed: number[] = [];
    const last = Number(element.getAttribute("aria-valuemax"));
    for (let layer = 1; layer <= last; layer += 1) {
      await frame();
      const started = performance.now();
      press("ArrowRight");
      await Promise.resolve(); // React renders what a key changed before the task ends
      const words = document.querySelector(".layer-words");
      if (words === null || element.getAttribute("aria-valuenow") !== String(layer)) {
        throw new Error(`layer ${layer} is not shown`);
      }
      words.getBoundingClientRect();
      work.push(performance.now() - started);
      await frame();
      await frame();
      shown.push(performance.now() - started);
      changed.push(words.querySelectorAll("[data-changed]").length);
    }
    const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);
    return { work: sorted(work), shown: sorted(shown), changed: sorted(changed) };
  });

test("1,000 tokens stay smooth: the slider of Layers steps through them", async ({
  explorer,
  page,
}, info) => {
  test.setTimeout(3 * READING_MS);
  await page.getByRole("radio", { name: "Completion" }).click();
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "4" });
  await explorer.say(LONG_TEXT);
  await page.keyboard.press("Escape");
  await page.keyboard.press("4");
  await explorer.evidence.getByRole("radio", { name: "All" }).click();
  const words = explorer.evidence.getByRole("listbox").getByRole("option");
  await expect(explorer.evidence.getByText(/^([\d,]+) of \1 positions read/)).toBeVisible({
    timeout: READING_MS,
  });
  const nWords = await words.count();
  expect(nWords).toBeGreaterThan(950);
  const slider = explorer.evidence.getByRole("slider", { name: "Layer" });
  const described = ({ work, shown }: Steps): string =>
    `work median ${at(work, 0.5)}, 95th ${at(work, 0.95)}, worst ${at(work, 1)}; shown median ${at(shown, 0.5)}, worst ${at(shown, 1)}`;
  const double = await stepsOf(slider);
  await explorer.evidence.getByRole("button", { name: "Display options" }).click();
  await page.getByRole("switch", { name: /^Tint/ }).click();
  await page.keyboard.press("Escape");
  const tinted = await stepsOf(slider);
  info.annotations.push(
    { type: "words", description: String(nWords) },
    { type: "layers", description: (await slider.getAttribute("aria-valuemax")) ?? "" },
    {
      type: "words changed by a step",
      description: `median ${at(double.changed, 0.5)}, most ${at(double.changed, 1)}`,
    },
    { type: "one step of the slider, ms", description: described(double) },
    { type: "with tint, ms", description: described(tinted) },
  );
});
