/** The heatmap as a person uses it: its colours and numbers against the server's own. */
import { readFileSync } from "node:fs";
import type { Locator, Page } from "@playwright/test";
import { DIVERGING, RAMPS, type Ramp, SECOND_HUE, rampStep, roundUp } from "../src/charts/colour/colour";
import { formatNats, formatProbability, formatRank } from "../src/model/format";
import { layerTitle } from "../src/model/layers";
import { type LensReadRequest, type LensReadResponse, addressOf, lensOf } from "./api";
import { type ExplorerPage, expect, test, pick } from "./page";

/** Where the cells are, as charts/heatmap/geometry.ts has it. */
const LABEL_WIDTH = 68;
const HEAD_HEIGHT = 56;
const CELL_HEIGHT = 22;
const DEFAULT_CELL_WIDTH = 64;

const TEXT =
  "The capital of France is Paris. The capital of Spain is Madrid. The capital of Italy is Rome. " +
  "The river was high and the people of the town built a new bridge.";

const grid = ({ evidence }: ExplorerPage): Locator => evidence.getByRole("grid");
const activeCell = (explorer: ExplorerPage): Locator => grid(explorer).getByRole("gridcell");
const choose = ({ evidence }: ExplorerPage, name: string, option: string) =>
  pick(evidence.getByRole("combobox", { name, exact: true }), option);

/** A read conversation with its heatmap open; the first column is at the left edge. */
async function openHeatmap(explorer: ExplorerPage): Promise<LensReadResponse> {
  const { page } = explorer;
  await page.getByRole("radio", { name: "Completion" }).click();
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "4" });
  await explorer.say(TEXT);
  await explorer.tokens.nth(2).click();
  await page.keyboard.press("2");
  await expect(explorer.evidence.getByText(/(\d+) of \1 positions read/)).toBeVisible();
  return lensOf(page);
}

/** A pixel of the grid's canvas, as `#rrggbb`. */
function pixel(explorer: ExplorerPage, x: number, y: number): Promise<string> {
  return explorer.evidence.locator("canvas:has(~ [role=grid])").evaluate(
    (canvas: HTMLCanvasElement, at) => {
      const rgb = canvas.getContext("2d")?.getImageData(at.x, at.y, 1, 1).data.slice(0, 3) ?? [];
      return `#${Array.from(rgb, (channel) => channel.toString(16).padStart(2, "0")).join("")}`;
    },
    { x, y },
  );
}

/** Colour of a cell, read above its text. */
const cellColour = (explorer: ExplorerPage, position: number, row: number): Promise<string> =>
  pixel(explorer, LABEL_WIDTH + position * DEFAULT_CELL_WIDTH + 20, HEAD_HEIGHT + row * CELL_HEIGHT + 2);

/** A colour of the theme as a canvas draws it. */
const themeColour = (page: Page, name: string): Promise<string> =>
  page.evaluate((property) => {
    const context = document.createElement("canvas").getContext("2d");
    if (context === null) throw new Error("no canvas");
    context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(property);
    context.fillRect(0, 0, 1, 1);
    const rgb = context.getImageData(0, 0, 1, 1).data.slice(0, 3);
    return `#${Array.from(rgb, (channel) => channel.toString(16).padStart(2, "0")).join("")}`;
  }, name);

const pointOf = (position: number, row: number) => ({
  x: LABEL_WIDTH + (position + 0.5) * DEFAULT_CELL_WIDTH,
  y: HEAD_HEIGHT + (row + 0.5) * CELL_HEIGHT,
});

for (const theme of ["light", "dark"] as const) {
  test.describe(theme, () => {
    test.use({ colorScheme: theme });

    test("each cell has the colour of the server's number, highlighted where the answer is there", async ({
      explorer,
    }) => {
      const lens = await openHeatmap(explorer);
      const last = lens.layers.length - 1;
      const scale = { kind: "linear", dark: 0, bright: 1 } as const;
      const colours = async (isSecond: (layer: number, position: number) => boolean): Promise<void> => {
        for (const position of [0, 1, 4, 7]) {
          for (const layer of lens.layers) {
            const [probability = Number.NaN] = lens.top_probabilities[layer]?.[position] ?? [];
            const step = rampStep(scale, probability);
            const ramp: Ramp = isSecond(layer, position) ? SECOND_HUE.viridis : RAMPS.viridis;
            await expect.poll(() => cellColour(explorer, position, last - layer)).toBe(ramp.fill[step]);
          }
        }
      };
      const top = (layer: number, position: number) => lens.top_ids[layer]?.[position]?.[0];
      await colours(() => false);

      await choose(explorer, "highlight", "final-layer top-1");
      await colours((layer, position) => top(layer, position) === top(last, position));
      await choose(explorer, "highlight", "the actual next token");
      await colours((layer, position) => top(layer, position) === lens.tokens[position + 1]?.id);
      await addressOf(explorer.page); // the address names what was chosen before it is loaded again
      await explorer.page.reload();
      await expect(explorer.evidence.getByRole("combobox", { name: "highlight" })).toHaveAttribute(
        "value",
        "actual",
      );
      expect(explorer.complaints).toEqual([]);
    });

    test("a change has the diverging ramp's colour, and what is beyond the scale says its number", async ({
      explorer,
    }) => {
      const lens = await openHeatmap(explorer);
      const last = lens.layers.length - 1;
      await choose(explorer, "coloured by", "Delta log-prob. of the actual next token");
      const change = (layer: number, position: number): number =>
        Math.log(lens.next_probability[layer]?.[position] ?? Number.NaN) -
        Math.log(lens.next_probability[layer - 1]?.[position] ?? Number.NaN);
      const sizes = lens.positions
        .slice(1, -1)
        .flatMap((position) => lens.layers.slice(2).map((layer) => Math.abs(change(layer, position))));
      const end = roundUp(Math.max(...sizes));
      const scale = { kind: "linear", dark: -end, bright: end } as const;
      for (const position of [1, 4, 7]) {
        for (const layer of lens.layers.slice(1)) {
          const step = rampStep(scale, change(layer, position));
          await expect
            .poll(() => cellColour(explorer, position, last - layer))
            .toBe(DIVERGING[theme].fill[step]);
        }
      }
      const beyond = lens.positions
        .slice(0, -1)
        .flatMap((position) => lens.layers.slice(1).map((layer) => Math.abs(change(layer, position))))
        .filter((size) => size > end).length;
      const legend = explorer.evidence.getByRole("figure");
      expect(beyond).toBeGreaterThan(0);
      await expect(legend).toContainText(`beyond the scale: ${beyond} cells`);
      const position = lens.positions.find((each) => Math.abs(change(1, each)) > end) ?? -1;
      expect(position).toBeLessThan(9);
      await grid(explorer).hover({ position: pointOf(position, last - 1) });
      const card = explorer.evidence.getByRole("region", { name: "Cell" });
      await expect(card).toContainText("beyond the colour scale");
      await expect(card).toContainText(formatNats(change(1, position)));
    });
  });
}

test("the outline of a pinned token counts the cells by the server's ranks", async ({ explorer, page }) => {
  await openHeatmap(explorer);
  const card = explorer.evidence.getByRole("region", { name: "Cell" });
  await grid(explorer).hover({ position: pointOf(1, 0) });
  await card.getByRole("button", { name: /^Pin/ }).first().click();
  const outline = explorer.evidence.getByRole("combobox", { name: "outline", exact: true });
  await pick(outline, 1);
  const id = Number(await outline.getAttribute("value"));
  const { targets, positions, layers } = await lensOf(page, { targets: [id] });
  const ranks = targets[0]?.rank ?? [];
  const total = positions.length * layers.length;
  for (const [option, most] of [
    ["1", 1],
    ["1 to 10", 10],
    ["1 to 100", 100],
  ] as const) {
    await choose(explorer, "at rank", option);
    const inside = ranks.flat().filter((rank) => rank <= most).length;
    await expect(explorer.evidence.getByText(/^Outlined/)).toContainText(
      `in ${formatRank(inside)} of ${formatRank(total)} cells`,
    );
  }
  await grid(explorer).hover({ position: pointOf(4, 3) });
  const layer = layers.length - 1 - 3;
  await expect(card).toContainText(formatRank(ranks[layer]?.[4] ?? null));
  await expect(card).toContainText(formatProbability(targets[0]?.probability[layer]?.[4] ?? null));

  // The line runs where an outlined cell borders on one that is not, and nowhere else.
  const line = await themeColour(page, "--text");
  const isInside = (position: number, row: number): boolean =>
    (ranks[layers.length - 1 - row]?.[position] ?? Number.POSITIVE_INFINITY) <= 100;
  const found = { border: 0, none: 0 };
  for (const position of [0, 1, 2, 3, 4, 5, 6, 7]) {
    for (const row of layers) {
      const isBorder = isInside(position, row) !== isInside(position + 1, row);
      found[isBorder ? "border" : "none"] += 1;
      const x = LABEL_WIDTH + (position + 1) * DEFAULT_CELL_WIDTH - 1;
      const seen = expect.poll(() => pixel(explorer, x, HEAD_HEIGHT + (row + 0.5) * CELL_HEIGHT));
      if (isBorder) await seen.toBe(line);
      else await seen.not.toBe(line);
    }
  }
  expect(found.border).toBeGreaterThan(0);
  expect(found.none).toBeGreaterThan(0);

  // It is kept while another view is looked at.
  await page.keyboard.press("1");
  await page.keyboard.press("2");
  await expect(outline).toHaveAttribute("value", `${id}`);
  // A pin that is saved while the reply is being stored is refused, and saved again.
  expect(explorer.complaints.filter((text) => !text.includes("status of 409"))).toEqual([]);
});

test("columns are dragged over to choose a range; it is fitted, and the table has the server's numbers", async ({
  explorer,
  page,
}) => {
  const lens = await openHeatmap(explorer);
  const box = await grid(explorer).boundingBox();
  if (box === null) throw new Error("the grid is not shown");
  const [from, to] = [pointOf(3, 4), pointOf(6, 2)];
  const before = (await addressOf(page)).toString();
  await page.mouse.move(box.x + from.x, box.y + from.y);
  await page.mouse.down();
  await page.mouse.move(box.x + to.x, box.y + to.y, { steps: 4 });
  await page.mouse.up();
  const range = explorer.evidence.getByRole("group", { name: "Range" });
  await expect(range).toContainText("Index 3 to 6, 4 positions");
  expect((await addressOf(page)).toString()).toBe(before);

  await explorer.evidence.getByRole("button", { name: "Table" }).click();
  const rows = explorer.evidence.getByRole("region", { name: "Table of cells" }).getByRole("row");
  await expect(rows).toHaveCount(1 + 4 * lens.layers.length);
  const cells = await rows.evaluateAll((elements) =>
    elements.slice(1).map((row) => Array.from(row.querySelectorAll("td"), (cell) => cell.textContent)),
  );
  const expected = [3, 4, 5, 6].flatMap((position) =>
    lens.layers
      .toReversed()
      .map((layer) => [
        formatProbability(lens.top_probabilities[layer]?.[position]?.[0] ?? null),
        formatRank(lens.next_rank[layer]?.[position] ?? null),
        formatProbability(lens.next_probability[layer]?.[position] ?? null),
        formatNats(lens.entropy_nats[layer]?.[position] ?? null),
        formatNats(lens.kl_to_final_nats[layer]?.[position] ?? null),
      ]),
  );
  expect(cells.map((row) => row.slice(1))).toEqual(expected);

  // Exports have the range as well.
  await page.getByRole("button", { name: "Export" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: /^CSV/ }).click(),
  ]);
  expect(download.suggestedFilename()).toContain("_3-6-");
  const lines = readFileSync(await download.path(), "utf8")
    .trimEnd()
    .split("\r\n");
  expect(lines).toHaveLength(1 + 4 * lens.layers.length);
  await explorer.openFigure();
  const svg = (await explorer.savedFigure("SVG")).toString();
  await page.keyboard.press("Escape");
  expect(svg.match(/<rect class="cell"/g)).toHaveLength(4 * lens.layers.length);
  expect(svg).toContain(`Read at index 3 to 6 of a conversation of ${lens.tokens.length} tokens`);

  await range.getByRole("button", { name: "Fit to range" }).click();
  // Four columns in all the room there is: the widest cells, from the first of the range on.
  const overview = explorer.evidence.getByRole("slider", { name: /Part of the conversation/ });
  await expect(overview).toHaveAttribute("aria-valuetext", /^index 3 to/);
  await range.getByRole("button", { name: "Clear" }).click();
  await expect(range).toBeHidden();
  await grid(explorer).focus();
  await page.keyboard.press("Shift+ArrowRight");
  await expect(range).toContainText("2 positions");
  await page.keyboard.press("Escape");
  await expect(range).toBeHidden();
});

test("the overview's frame is dragged, moved by keys, and the wheel with Ctrl zooms where the pointer is", async ({
  explorer,
  page,
}) => {
  const lens = await openHeatmap(explorer);
  const overview = explorer.evidence.getByRole("slider", { name: /Part of the conversation/ });
  const left = () => grid(explorer).evaluate((element) => element.scrollLeft);
  await expect(overview).toHaveAttribute("aria-valuenow", "0");
  await overview.focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(left).toBe(DEFAULT_CELL_WIDTH);
  await page.keyboard.press("End");
  await expect(overview).toHaveAttribute("aria-valuetext", new RegExp(` to ${lens.positions.length - 1} of`));
  await page.keyboard.press("Home");
  await expect.poll(left).toBe(0);

  const box = await overview.boundingBox();
  if (box === null) throw new Error("the overview is not shown");
  await page.mouse.move(box.x + 20, box.y + 10);
  await page.mouse.down();
  await page.mouse.move(box.x + 20 + box.width / 4, box.y + 10, { steps: 5 });
  await page.mouse.up();
  const quarter = lens.positions.length / 4;
  await expect.poll(async () => Math.abs((await left()) / DEFAULT_CELL_WIDTH - quarter)).toBeLessThan(1);

  const under = async (): Promise<string> => {
    const card = await explorer.evidence.getByRole("region", { name: "Cell" }).textContent();
    return /read at index \d+/.exec(card ?? "")?.[0] ?? "";
  };
  await grid(explorer).hover({ position: pointOf(2, 5) });
  await expect.poll(under).not.toBe("");
  const seen = await under();
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, -120);
  await page.keyboard.up("Control");
  await expect(overview).toHaveAttribute("aria-valuetext", /./);
  await expect
    .poll(() => grid(explorer).evaluate((element) => element.scrollWidth))
    .toBe(LABEL_WIDTH + 92 * lens.positions.length);
  const gridBox = await grid(explorer).boundingBox();
  await page.mouse.move((gridBox?.x ?? 0) + pointOf(2, 5).x + 1, (gridBox?.y ?? 0) + pointOf(2, 5).y);
  await expect.poll(under).toBe(seen);
});

test("what is on the screen is read first", async ({ explorer, page }) => {
  await page.getByRole("radio", { name: "Completion" }).click();
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "4" });
  await explorer.say([TEXT, TEXT, TEXT].join(" "));
  await explorer.tokens.nth(60).click();
  await expect(explorer.evidence.getByRole("listitem").first()).toBeVisible();
  const asked: [number, number][] = [];
  page.on("request", (request) => {
    if (!request.url().endsWith("/api/lens")) return;
    const { positions } = request.postDataJSON() as LensReadRequest;
    if (positions !== null && positions !== undefined) asked.push([positions[0], positions[1]]);
  });
  await page.keyboard.press("2");
  await expect(explorer.evidence.getByText(/(\d+) of \1 positions read/)).toBeVisible();
  const shown = await explorer.evidence
    .getByRole("slider", { name: /Part of the conversation/ })
    .getAttribute("aria-valuetext");
  const [, first, last] = /index (\d+) to (\d+)/.exec(shown ?? "") ?? [];
  expect(Number(first)).toBeLessThanOrEqual(59);
  expect(Number(last)).toBeGreaterThanOrEqual(59);
  expect(asked[0]?.[0]).toBeLessThanOrEqual(Number(first) + 1);
  expect(asked[0]?.[0]).toBeGreaterThanOrEqual(Number(first) - 1);
});

test("layers are thinned out by keyboard alone, and every cell that is left has the server's numbers", async ({
  explorer,
  page,
}) => {
  const lens = await openHeatmap(explorer);
  await explorer.evidence.getByRole("button", { name: "Display options" }).focus();
  await page.keyboard.press("Enter");
  const layers = page.getByRole("combobox", { name: "layers" });
  await layers.focus();
  await page.keyboard.press("Enter");
  const options = page.getByRole("listbox", { name: "layers" }).getByRole("option");
  await expect(options.first()).toBeFocused();
  await page.keyboard.press("End");
  await expect(options.last()).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(layers).toBeFocused();
  await expect(layers).toHaveAttribute("value", "4");
  await page.keyboard.press("Escape");
  await expect(explorer.evidence.getByRole("button", { name: "Display options" })).toBeFocused();
  await grid(explorer).focus();
  await page.keyboard.press("Control+Home");
  const last = lens.layers.length - 1;
  for (const layer of lens.layers.filter((each) => each % 4 === 0 || each === last).toReversed()) {
    const cell = activeCell(explorer);
    await expect(cell).toContainText(`${layerTitle(layer)}, read at index 0`);
    await expect(cell).toContainText(
      `probability ${formatProbability(lens.top_probabilities[layer]?.[0]?.[0] ?? null)}`,
    );
    await expect(cell).toContainText(`entropy ${formatNats(lens.entropy_nats[layer]?.[0] ?? null)} nats`);
    await page.keyboard.press("ArrowDown");
  }
  await expect(activeCell(explorer)).toContainText("Layer 0 (embedding)");
});
