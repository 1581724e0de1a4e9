/** The colour behind the text: it comes and goes without a trace, and is that of the lens in use. */
import type { Page } from "@playwright/test";
import { tintOf, tintScale } from "../src/features/transcript/tint";
import { type LensReadResponse, lensOf } from "./api";
import { type ExplorerPage, expect, test, pick } from "./page";

const colourBy = (page: Page) => page.getByRole("combobox", { name: "Colour by" });

/** What each token looks like, and whether it stands in one's own text. */
const looksOf = ({ tokens }: ExplorerPage) =>
  tokens.evaluateAll((found) =>
    found.map((token) => {
      const { color, fontStyle, backgroundColor } = getComputedStyle(token);
      const group = token.closest("[role=group]");
      const hasBar = group !== null && getComputedStyle(group).borderInlineStartWidth !== "0px";
      const isOwn = group?.getAttribute("aria-label") === "You";
      return { color, fontStyle, backgroundColor, isOwn, hasBar };
    }),
  );

/** The ground of each token, and a dotted line where the scale has no place for it. */
const groundsOf = async (explorer: ExplorerPage): Promise<string[]> =>
  explorer.tokens.evaluateAll((found) =>
    found.map((token) => {
      const { backgroundColor, textDecorationStyle } = getComputedStyle(token);
      return `${backgroundColor}${textDecorationStyle === "dotted" ? " marked" : ""}`;
    }),
  );

/** The same for these values, as the browser writes the colours; NaN for a token without one. */
async function expectedGrounds(page: Page, values: readonly number[], max: number): Promise<string[]> {
  const tints = values.map((value) => (Number.isNaN(value) ? null : tintOf(value, max)));
  const colours = await page.evaluate(
    (backgrounds) => {
      const probe = document.body.appendChild(document.createElement("span"));
      const seen = backgrounds.map((background) => {
        probe.style.backgroundColor = background;
        return getComputedStyle(probe).backgroundColor;
      });
      probe.remove();
      return seen;
    },
    tints.map((tint) => tint?.background ?? "transparent"),
  );
  return colours.map((colour, i) => `${colour}${tints[i]?.isMarked === true ? " marked" : ""}`);
}

/** For each token the first layer from which the server ranks it 1 at every layer above; infinite where the output does not. */
const decidedLayers = ({ next_rank, positions, layers }: LensReadResponse): number[] => [
  Number.NaN,
  ...positions.slice(0, -1).map((position) => {
    const from = layers.find((layer) =>
      layers.every((each) => each < layer || next_rank[each]?.[position] === 1),
    );
    return from ?? Number.POSITIVE_INFINITY;
  }),
];

for (const mode of ["Chat", "Completion"]) {
  test(`${mode}: colours come and go without a trace, and tell who wrote what meanwhile`, async ({
    explorer,
    page,
  }) => {
    await page.getByRole("radio", { name: mode }).click();
    await explorer.setSampling({ Temperature: "0", "Max new tokens": "8" });
    await explorer.say("The capital of Germany is");
    // The token that is selected for the reader has an ink of its own.
    await page.getByRole("button", { name: "Clear the selection" }).click();
    const before = await looksOf(explorer);
    expect(before.some(({ isOwn }) => isOwn)).toBe(true);
    expect(before.some(({ isOwn }) => !isOwn)).toBe(true);

    for (const metric of ["surprisal", "entropy", "decided"]) {
      await pick(colourBy(page), metric);
      await expect
        .poll(async () => new Set((await looksOf(explorer)).map((look) => look.backgroundColor)).size)
        .toBeGreaterThan(2);
      await expect(page.getByText(/ tokens read/)).toBeHidden();
      if (mode === "Completion") {
        const coloured = await looksOf(explorer);
        expect(coloured.map(({ hasBar }) => hasBar)).toEqual(coloured.map(({ isOwn }) => isOwn));
        expect(new Set(coloured.map(({ fontStyle }) => fontStyle))).toEqual(new Set(["normal"]));
        // Colours pass into each other.
        await expect
          .poll(async () => new Set((await looksOf(explorer)).map((look) => look.color)).size)
          .toBe(1);
        await expect(page.getByText("bar: your text")).toBeVisible();
      } else await expect(page.getByText("bar: your text")).toBeHidden();
      await pick(colourBy(page), "none");
      await page.mouse.move(0, 0); // a token under the pointer has a ground of its own
      await expect.poll(() => looksOf(explorer)).toEqual(before);
    }
  });
}

test("the decision layer is that of the lens in use, and what the output alone says is the same under each", async ({
  explorer,
  page,
}) => {
  await page.getByRole("radio", { name: "Completion" }).click();
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "12" });
  await explorer.say("The capital of France is Paris. The capital of Spain is");
  await page.getByRole("button", { name: "Clear the selection" }).click();
  const lens = explorer.evidence.getByRole("combobox", { name: "Lens" });
  await pick(colourBy(page), "decided");

  const layers = new Map<string, number[]>();
  let nLayers = 0;
  for (const [kind, title] of [
    ["logit", "logit"],
    ["jacobian", "Jacobian"],
    ["tuned", "tuned"],
  ] as const) {
    await pick(lens, kind);
    await expect(page.getByText(`up to the output, ${title} lens`)).toBeVisible();
    const answer = await lensOf(page, { kind });
    const decided = decidedLayers(answer);
    nLayers = answer.layers.length - 1;
    layers.set(kind, decided);
    const expected = await expectedGrounds(page, decided, tintScale("decided", nLayers).max);
    await expect.poll(() => groundsOf(explorer)).toEqual(expected);
  }
  expect(layers.get("jacobian")).not.toEqual(layers.get("logit"));
  expect(layers.get("tuned")).not.toEqual(layers.get("logit"));

  await pick(colourBy(page), "entropy");
  const { entropy_nats } = await lensOf(page, { kind: "logit" });
  const values = [Number.NaN, ...(entropy_nats.at(-1)?.slice(0, -1) ?? [])];
  const expected = await expectedGrounds(page, values, tintScale("entropy", 0).max);
  for (const kind of ["tuned", "jacobian", "logit"]) {
    await pick(lens, kind);
    await expect.poll(() => groundsOf(explorer)).toEqual(expected);
  }
  await expect(page.getByText(/^Entropy before the token/)).not.toContainText("lens");

  // The sentence of the Standard view says the same layer as the colour.
  await pick(lens, "jacobian");
  const index = (layers.get("jacobian") ?? []).findIndex(
    (layer, i) => layer > 0 && layer < nLayers && layer !== layers.get("logit")?.[i],
  );
  expect(index).toBeGreaterThan(0);
  await explorer.tokens.nth(index).click();
  const layer = layers.get("jacobian")?.[index];
  await expect(explorer.evidence.getByText(`from layer ${layer} up to the output`)).toBeVisible();
  expect(explorer.complaints).toEqual([]);
});
