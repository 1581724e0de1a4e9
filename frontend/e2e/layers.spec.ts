/** The Layers view as a person uses it: its words and counts against the server's own numbers. */
import type { Locator } from "@playwright/test";
import { formatProbability, formatRank } from "../src/model/format";
import { type LensReadResponse, lensOf, selectedIndex } from "./api";
import { type ExplorerPage, expect, seriousViolations, test, pick } from "./page";

const slider = ({ evidence }: ExplorerPage): Locator => evidence.getByRole("slider", { name: "Layer" });
const words = ({ evidence }: ExplorerPage): Locator =>
  evidence.getByRole("listbox", { name: /^The text at layer/ }).getByRole("option");
const card = ({ evidence }: ExplorerPage): Locator => evidence.getByRole("region", { name: "Word" });

/** With it the reply has 24 tokens, of which some, not all, are the output's first choice. */
const SEED = "3";

/** A reply that was sampled hot enough to differ from the output's first choices, read in full. */
async function openLayers(explorer: ExplorerPage): Promise<LensReadResponse> {
  const { page } = explorer;
  await page.getByRole("button", { name: /^Sampling/ }).click();
  await page.getByRole("button", { name: "Pin a seed" }).click();
  await page.keyboard.press("Escape");
  await explorer.setSampling({ Temperature: "0.7", "Max new tokens": "24", Seed: SEED });
  await explorer.say("Tell me about the river and the old town");
  await page.getByRole("tab", { name: "Layers" }).click();
  await expect(explorer.evidence.getByText(/^(\d+) of \1 positions read/)).toBeVisible();
  return lensOf(page);
}

/** What the page must show at a layer for the tokens with this role, from the server's numbers alone. */
function expected(lens: LensReadResponse, layer: number, isShown: (index: number) => boolean) {
  const last = lens.layers.length - 1;
  const top = (at: number, index: number): number | undefined => lens.top_ids[at]?.[index - 1]?.[0];
  const shown = lens.tokens.map((token) => token.index).filter((index) => isShown(index));
  const predicted = shown.filter((index) => index > 0);
  const kindOf = (index: number): string =>
    index === 0
      ? "first"
      : top(layer, index) === lens.tokens[index]?.id
        ? "actual"
        : top(layer, index) === top(last, index)
          ? "output"
          : "other";
  const kinds = shown.map(kindOf);
  return {
    shown,
    kinds,
    changed: shown.map((index) => index > 0 && layer > 0 && top(layer, index) !== top(layer - 1, index)),
    texts: shown.map((index) =>
      index === 0 ? (lens.tokens[0]?.text ?? "") : (lens.vocabulary[String(top(layer, index))] ?? ""),
    ),
    nPredicted: predicted.length,
    nActual: kinds.filter((kind) => kind === "actual").length,
  };
}

/** The text of a word as it is compared: without the signs of what cannot be seen. */
const plain = (text: string): string => text.replace(/[\s·⏎⇥]|\\x[0-9A-F]{2}|\ufffd/g, "");

interface ShownWord {
  readonly index: number;
  readonly kind: string | undefined;
  readonly changed: boolean;
  readonly text: string;
  readonly actual: string | null;
}

const shownWords = (explorer: ExplorerPage): Promise<ShownWord[]> =>
  words(explorer).evaluateAll((all) =>
    all.map((word) => ({
      index: Number(word.getAttribute("data-index")),
      kind: word.getAttribute("data-kind") ?? undefined,
      changed: word.hasAttribute("data-changed"),
      text: word.querySelector(".word-body")?.textContent ?? "",
      actual: word.querySelector(".word-actual")?.textContent ?? null,
    })),
  );

async function expectLayer(
  explorer: ExplorerPage,
  lens: LensReadResponse,
  layer: number,
  isShown: (index: number) => boolean,
): Promise<void> {
  const { shown, kinds, changed, texts, nPredicted, nActual } = expected(lens, layer, isShown);
  await expect(slider(explorer)).toHaveAttribute("aria-valuenow", String(layer));
  // The words follow the slider a moment later.
  await expect(async () => {
    const seen = await shownWords(explorer);
    expect(seen.map((word) => word.index)).toEqual(shown);
    expect(seen.map((word) => word.kind)).toEqual(kinds);
    expect(seen.map((word) => word.changed)).toEqual(changed);
    expect(seen.map((word) => plain(word.text))).toEqual(texts.map(plain));
    expect(seen.map((word) => (word.actual === null ? null : plain(word.actual)))).toEqual(
      shown.map((index, i) =>
        kinds[i] === "actual" || kinds[i] === "first" ? null : plain(lens.tokens[index]?.text ?? ""),
      ),
    );
  }).toPass({ timeout: 30_000 });
  const place = layer === 0 ? "layer 0 \\(embedding\\)" : `layer ${layer}`;
  const below = layer === 1 ? "layer 0 \\(embedding\\)" : `layer ${layer - 1}`;
  const nChanged = changed.filter(Boolean).length;
  await expect(
    explorer.evidence.getByText(
      new RegExp(
        `^At ${place},.* top-1 matches the actual token at ${nActual} of ${nPredicted} positions?` +
          (layer === 0 ? "\\." : `; ${nChanged === 0 ? "none" : nChanged} changed since ${below}\\.`),
      ),
    ),
  ).toBeVisible();
  const legend = explorer.evidence.getByRole("list", { name: "Marks" });
  await expect(legend).toContainText(`actual token: ${nActual}`);
  await expect(legend).toContainText(
    `final-layer top-1: ${kinds.filter((kind) => kind === "output").length}`,
  );
}

for (const theme of ["light", "dark"] as const) {
  test.describe(theme, () => {
    test.use({ colorScheme: theme });

    test("scrubbing by mouse shows each layer's own words, marks and counts, and asks for nothing", async ({
      explorer,
      page,
    }) => {
      const lens = await openLayers(explorer);
      const isReply = (index: number): boolean => lens.tokens[index]?.role === "assistant";
      const requests: string[] = [];
      page.on("request", (request) => {
        if (request.url().includes("/api/lens")) requests.push(request.url());
      });
      const last = lens.layers.length - 1;
      await expectLayer(explorer, lens, last, isReply);
      expect(new Set(expected(lens, last, isReply).kinds)).toEqual(new Set(["actual", "output"]));
      const box = await slider(explorer).boundingBox();
      if (box === null) throw new Error("the slider is not shown");
      const xOf = (layer: number): number => box.x + ((layer + 0.5) * box.width) / (last + 1);
      for (const layer of [5, 0, 9]) {
        await page.mouse.click(xOf(layer), box.y + 20);
        await expectLayer(explorer, lens, layer, isReply);
      }
      // Dragged from layer 9 down to 2.
      await page.mouse.move(xOf(9), box.y + 20);
      await page.mouse.down();
      await page.mouse.move(xOf(2), box.y + 20, { steps: 8 });
      await page.mouse.up();
      await expectLayer(explorer, lens, 2, isReply);

      const bars = await slider(explorer)
        .locator("[data-part=share]")
        .evaluateAll((all) => all.map((bar) => Number.parseFloat((bar as HTMLElement).style.height)));
      expect(bars).toHaveLength(last + 1);
      for (const [layer, height] of bars.entries()) {
        const { nActual, nPredicted } = expected(lens, layer, isReply);
        expect(height).toBeCloseTo((100 * nActual) / nPredicted, 3);
      }

      await explorer.evidence.getByRole("radio", { name: "All" }).click();
      await expectLayer(explorer, lens, 2, () => true);
      expect(requests).toEqual([]);

      // The card has the server's numbers of the word under the pointer, then of the one that was clicked.
      const index = lens.tokens.find((token) => token.role === "assistant")?.index ?? 0;
      const word = words(explorer).nth(index + 2);
      for (const [act, at] of [
        ["hover", index + 2],
        ["click", index + 3],
      ] as const) {
        if (act === "hover") await word.hover();
        else await words(explorer).nth(at).click();
        await expect(card(explorer)).toContainText(`predicts index ${at}`);
        await expect(card(explorer)).toContainText(
          `probability ${formatProbability(lens.top_probabilities[2]?.[at - 1]?.[0] ?? null)}`,
        );
        await expect(card(explorer)).toContainText(
          `rank ${formatRank(lens.next_rank[2]?.[at - 1] ?? null)}, probability ${formatProbability(lens.next_probability[2]?.[at - 1] ?? null)}`,
        );
      }
      await expect.poll(() => selectedIndex(page)).toBe(index + 3);
      await expect(page).toHaveURL(/[?&]l=2(&|$)/);

      // The same place in the Standard view.
      await page.keyboard.press("1");
      const row = explorer.evidence
        .getByRole("row")
        .filter({ has: page.getByRole("button", { name: "Layer 2", exact: true }) });
      const shown = formatProbability(lens.top_probabilities[2]?.[index + 2]?.[0] ?? null);
      await expect(row.getByRole("listitem").first()).toHaveAttribute(
        "title",
        new RegExp(`probability ${shown} `),
      );
      expect(explorer.complaints).toEqual([]);
    });
  });
}

test("everything is done by keyboard: slider, shared layer keys, words, choices, palette", async ({
  explorer,
  page,
}) => {
  const lens = await openLayers(explorer);
  const isReply = (index: number): boolean => lens.tokens[index]?.role === "assistant";
  const command = async (words: string): Promise<void> => {
    await page.keyboard.press("Control+k");
    await expect(page.getByRole("combobox", { name: "Find a command" })).toBeFocused();
    await page.keyboard.type(words);
    await page.keyboard.press("Enter");
  };
  const first = lens.tokens.findIndex((token) => token.role === "assistant");
  const last = lens.layers.length - 1;
  await slider(explorer).press("Home");
  await expectLayer(explorer, lens, 0, isReply);
  for (let step = 0; step < 3; step += 1) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("PageUp");
  await expectLayer(explorer, lens, 8, isReply);
  await page.keyboard.press("j");
  await expectLayer(explorer, lens, 7, isReply);
  await page.keyboard.press("k");
  await expectLayer(explorer, lens, 8, isReply);

  const list = explorer.evidence.getByRole("listbox", { name: "The text at layer 8" });
  await list.focus();
  await page.keyboard.press("Home");
  await expect.poll(() => selectedIndex(page)).toBe(first);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowLeft");
  await expect.poll(() => selectedIndex(page)).toBe(first + 1);
  await expect(words(explorer).nth(1)).toHaveAttribute("aria-selected", "true");
  await expect(explorer.tokens.nth(first + 1)).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("End");
  await expect.poll(() => selectedIndex(page)).toBe(lens.tokens.length - 1);

  await page.getByRole("button", { name: "Display options" }).press("Enter");
  await page.getByRole("switch", { name: /^Mark changes/ }).press("Space");
  await page.keyboard.press("Escape");
  await expect(explorer.evidence.locator(".layer-words [data-changed]")).toHaveCount(0);
  await command("mark changes");
  const { changed } = expected(lens, 8, isReply);
  await expect(explorer.evidence.locator(".layer-words [data-changed]")).toHaveCount(
    changed.filter(Boolean).length,
  );
  await command("layer above");
  await expectLayer(explorer, lens, 9, isReply);

  // Another lens has words of its own.
  await pick(explorer.evidence.getByRole("combobox", { name: "Lens" }), "tuned");
  await expect(explorer.evidence.getByText("Read through the tuned lens.")).toBeVisible();
  await expect(explorer.evidence.getByText(/^(\d+) of \1 positions read/)).toBeVisible();
  const tuned = await lensOf(page, { kind: "tuned" });
  expect(tuned.top_ids[9]).not.toEqual(lens.top_ids[9]);
  await expectLayer(explorer, tuned, 9, isReply);
  await slider(explorer).press("End");
  await expectLayer(explorer, tuned, last, isReply);
});

test("Play shows every layer in turn and stops at the output, when it is left, and when moved", async ({
  explorer,
  page,
}) => {
  const lens = await openLayers(explorer);
  const last = lens.layers.length - 1;
  const play = explorer.evidence.getByRole("button", { name: "Play", exact: true });
  await slider(explorer).evaluate((element) => {
    const seen: string[] = [];
    new MutationObserver(() => {
      seen.push(element.getAttribute("aria-valuenow") ?? "");
      document.body.dataset["seen"] = seen.join(" ");
    }).observe(element, { attributeFilter: ["aria-valuenow"] });
  });
  await play.click();
  await expect(explorer.evidence.getByRole("button", { name: "Pause" })).toBeVisible();
  await expect(play).toBeVisible({ timeout: 30_000 });
  const seen = await page.evaluate(() => document.body.dataset["seen"]);
  expect(seen?.split(" ").map(Number)).toEqual(Array.from({ length: last + 1 }, (_, layer) => layer));

  await play.click();
  await expect(slider(explorer)).toHaveAttribute("aria-valuenow", /^[1-9]/);
  await page.keyboard.press("1");
  await expect(slider(explorer)).toBeHidden();
  await page.keyboard.press("4");
  await expect(play).toBeVisible();
  await explorer.evidence.getByRole("button", { name: "Layer below" }).click();
  await play.click();
  const paused = explorer.evidence.getByRole("button", { name: "Pause" });
  await expect(paused).toBeVisible();
  await page.keyboard.press("k");
  await expect(paused).toBeHidden();
});

test.describe("with reduced motion", () => {
  test.use({ contextOptions: { reducedMotion: "reduce" } });

  test("nothing plays by itself; the steppers go from layer to layer", async ({ explorer }) => {
    const lens = await openLayers(explorer);
    const last = lens.layers.length - 1;
    await expect(explorer.evidence.getByRole("button", { name: "Play", exact: true })).toBeHidden();
    await explorer.evidence.getByRole("button", { name: "Layer below" }).click();
    await expectLayer(explorer, lens, last - 1, (index) => lens.tokens[index]?.role === "assistant");
    await explorer.evidence.getByRole("button", { name: "Layer above" }).click();
    await expect(explorer.evidence.getByRole("button", { name: "Layer above" })).toBeDisabled();
  });
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test("the slider stays in view above the words, and a touch on a word gives its numbers", async ({
    explorer,
    page,
  }) => {
    await explorer.setSampling({ Temperature: "0", "Max new tokens": "24" });
    await explorer.say("The capital of France is");
    await explorer.tokens.nth(3).click();
    await page.getByRole("button", { name: "Fill the screen with the evidence" }).click();
    await page.getByRole("tab", { name: "Layers" }).click();
    await expect(explorer.evidence.getByText(/^(\d+) of \1 positions read/)).toBeVisible();
    const lens = await lensOf(page);
    await explorer.evidence.getByRole("radio", { name: "All" }).click();
    await words(explorer).last().click();
    await expect(slider(explorer)).toBeInViewport();
    await expect(card(explorer)).toBeInViewport();
    await expect(card(explorer)).toContainText(
      `rank ${formatRank(lens.next_rank.at(-1)?.[lens.tokens.length - 2] ?? null)}`,
    );
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });
});

for (const theme of ["light", "dark"] as const) {
  for (const viewport of [
    { width: 1440, height: 900 },
    { width: 390, height: 844 },
  ]) {
    test.describe(`${theme}, ${viewport.width} px wide`, () => {
      test.use({ colorScheme: theme, viewport });

      test("axe finds nothing serious, with all marks and with the tint, and nothing is too wide", async ({
        explorer,
        page,
      }) => {
        await explorer.setSampling({ Temperature: "0", "Max new tokens": "10" });
        await explorer.say("The capital of France is 🙂");
        await explorer.tokens.nth(4).click();
        await page.getByRole("tab", { name: "Layers" }).click();
        await explorer.evidence.getByRole("radio", { name: "All" }).click();
        await slider(explorer).press("ArrowLeft");
        await expect(explorer.evidence.getByText(/^(\d+) of \1 positions read/)).toBeVisible();
        expect(await seriousViolations(page)).toEqual([]);
        await explorer.evidence.getByRole("button", { name: "Display options" }).click();
        await page.getByRole("switch", { name: /^Tint/ }).click();
        expect(await seriousViolations(page)).toEqual([]);
        await page.keyboard.press("Escape");
        expect(await seriousViolations(page)).toEqual([]);
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(width).toBeLessThanOrEqual(viewport.width);
      });
    });
  }
}
