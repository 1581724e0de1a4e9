/**
 * No character is drawn that is not in the text: no ligatures, no contextual alternates. The same text is
 * drawn again with each character shaped alone, which no font can join, and has to look the same.
 */
import { readFileSync } from "node:fs";
import type { Locator, Page } from "@playwright/test";
import { cellTextOfText } from "../src/model/tokens";
import { expect, test } from "./page";
import { boxOf, largestDifference, pictureOf } from "./pictures";
import { codePointsOf } from "./woff2";

/** What Inter, JetBrains Mono and usual fallback fonts draw as something else. */
const JOINED = "-> => <= != |> 2x4 fi -- === <|im_start|> www";
/** Between text that begins a fraction of a pixel later and another character. */
const SAME = 50;

/** Kerning moves characters and changes none, so neither picture has it. */
async function withoutKerning(page: Page): Promise<void> {
  await page.addStyleTag({ content: "* { font-kerning: none !important; caret-color: transparent }" });
  await page.evaluate(() => document.fonts.ready);
}

/** Shapes each character of an element alone: an isolate ends the run of a shaper. */
async function takeApart(element: Locator): Promise<void> {
  await element.evaluate((root) => {
    const apart = (text: string, inside: Element): Element[] =>
      Array.from(text, (character) => {
        const name = inside instanceof SVGElement ? "tspan" : "span";
        const span = document.createElementNS(inside.namespaceURI, name);
        span.setAttribute("style", "unicode-bidi: isolate");
        span.textContent = character;
        return span;
      });
    if (root instanceof HTMLTextAreaElement || root instanceof HTMLInputElement) {
      const copy = document.createElement("div");
      const style = getComputedStyle(root);
      for (const name of Array.from(style)) copy.style.setProperty(name, style.getPropertyValue(name));
      copy.style.whiteSpace = "pre-wrap";
      copy.append(...apart(root.value, copy));
      root.replaceWith(copy);
      return;
    }
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    while (walker.nextNode()) if (walker.currentNode instanceof Text) texts.push(walker.currentNode);
    for (const text of texts) {
      const inside = text.parentElement ?? document.body;
      // One element, as the text was one item where its parent lays out items in a row.
      const whole = document.createElementNS(
        inside.namespaceURI,
        inside instanceof SVGElement ? "tspan" : "span",
      );
      whole.append(...apart(text.data, inside));
      text.replaceWith(whole);
    }
  });
}

/** Draws an element, then again with its characters apart, and holds the two against each other. */
async function expectThemselves(page: Page, element: Locator): Promise<void> {
  const box = await boxOf(element);
  const shown = await pictureOf(page, box);
  await takeApart(element);
  expect(await largestDifference(page, shown, await pictureOf(page, box))).toBeLessThan(SAME);
}

for (const mode of ["Chat", "Completion"]) {
  test(`the transcript of a ${mode} draws each character as itself`, async ({ explorer, page }) => {
    await page.getByRole("radio", { name: mode }).click();
    await explorer.setSampling({ Temperature: "0", "Max new tokens": "1" });
    await explorer.say(JOINED);
    await withoutKerning(page);
    const text = page.getByRole("group", { name: "You" });
    await expect(text).toContainText("<|im_start|>");
    await expectThemselves(page, text);
  });
}

test("the fields for text draw each character that is typed as itself", async ({ explorer, page }) => {
  for (const field of await page.locator("input, textarea").all()) {
    await expect(field).toHaveCSS("font-variant-ligatures", "none");
  }
  await withoutKerning(page);
  await explorer.composer.fill(JOINED);
  await explorer.composer.blur();
  await expectThemselves(page, explorer.composer);
});

test("the heatmap's canvas draws each character as itself", async ({ explorer, page }) => {
  await page.addInitScript(() => {
    const draw = Reflect.get(CanvasRenderingContext2D.prototype, "fillText");
    CanvasRenderingContext2D.prototype.fillText = function (...given) {
      document.documentElement.dataset["drawnWith"] = JSON.stringify({
        font: this.font,
        textRendering: this.textRendering,
        fontVariantCaps: this.fontVariantCaps,
        letterSpacing: this.letterSpacing,
      });
      draw.apply(this, given);
    };
  });
  await explorer.open();
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "1" });
  await explorer.say(JOINED);
  await page.getByRole("tab", { name: "Heatmap" }).click();
  await expect(explorer.evidence.getByText(/(\d+) of \1 positions read/)).toBeVisible();
  await expect(page.locator("html")).toHaveAttribute("data-drawn-with", /JetBrains Mono/);
  const { together, apart } = await page.evaluate(async (text) => {
    const style = JSON.parse(document.documentElement.dataset["drawnWith"] ?? "") as object;
    await document.fonts.ready;
    const drawn = (draw: (context: CanvasRenderingContext2D) => void): string => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [1600, 80];
      const context = canvas.getContext("2d");
      if (context === null) throw new Error("there is no canvas");
      context.scale(4, 4);
      Object.assign(context, style);
      draw(context);
      return canvas.toDataURL("image/png").replace("data:image/png;base64,", "");
    };
    return {
      together: drawn((context) => context.fillText(text, 4, 14)),
      apart: drawn((context) => {
        let x = 4;
        for (const character of text) {
          context.fillText(character, x, 14);
          x += context.measureText(character).width;
        }
      }),
    };
  }, JOINED);
  expect(await largestDifference(page, together, apart)).toBeLessThan(SAME);
});

test("an exported picture draws each character as itself, and is the same as PNG and as SVG", async ({
  explorer,
  page,
}) => {
  await page.clock.setFixedTime("2030-01-01T12:00:00Z"); // it stands in the picture
  await explorer.setSampling({ Temperature: "0", "Max new tokens": "1" });
  await explorer.say(JOINED);
  await explorer.tokens.last().click();
  await expect(explorer.evidence.getByRole("row")).toHaveCount(14);
  await explorer.openFigure();
  const svg = (await explorer.savedFigure("SVG")).toString();
  expect(svg).toContain("-&gt; =&gt; &lt;= != |&gt; 2x4 fi -- === &lt;|im_start|&gt; www");
  const png = await explorer.savedFigure("PNG");
  const size = [png.readUInt32BE(16), png.readUInt32BE(20)] as const;

  const draw = async ([source, width, height]: readonly [string, number, number]): Promise<string> => {
    const picture = new Image();
    picture.src = URL.createObjectURL(new Blob([source], { type: "image/svg+xml" }));
    await picture.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    canvas.getContext("2d")?.drawImage(picture, 0, 0, width, height);
    return canvas.toDataURL("image/png").replace("data:image/png;base64,", "");
  };
  const drawn = await page.evaluate(draw, [svg, ...size] as const);
  expect(await largestDifference(page, png.toString("base64"), drawn)).toBe(0);

  // With the page's fonts, and without the page's own rule for ligatures.
  await page.evaluate((source) => {
    const frame = document.createElement("div");
    frame.setAttribute("style", "position: fixed; inset: 0; font-variant-ligatures: normal");
    frame.innerHTML = source.slice(source.indexOf("<svg")).replace(/<style>.*<\/style>/, "");
    document.body.replaceChildren(frame);
  }, svg);
  await withoutKerning(page);
  await expectThemselves(page, page.locator("svg"));
});

/** Of other fonts, which every system has. A sign that it lacks is drawn as an empty box. */
const FROM_SYSTEM = new Set("⏎⇥∅◌");

test("the shipped fonts have every sign that stands for a character that is not seen", () => {
  const styles = "src/styles/";
  const files = readFileSync(`${styles}fonts.css`, "utf8").matchAll(/url\("([^"]+\.woff2)"\)/g);
  const fonts = Array.from(files, ([, file]) => codePointsOf(`${styles}${file ?? ""}`));
  expect(fonts).toHaveLength(2);
  const signs = new Set<string>();
  for (let point = 0; point <= 0xffff; point += 1) {
    if (point >= 0xd800 && point < 0xe000) continue; // halves of characters
    const character = String.fromCodePoint(point);
    const shown = cellTextOfText(character);
    if (!shown.endsWith(character)) for (const sign of shown) signs.add(sign);
  }
  expect(signs).toContain("‹");
  const missing = [...signs].filter(
    (sign) => !FROM_SYSTEM.has(sign) && !fonts.every((font) => font.has(sign.codePointAt(0) ?? 0)),
  );
  expect(missing).toEqual([]);
});
