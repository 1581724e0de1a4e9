/** Pictures of the page, held against each other. */
import type { Locator, Page } from "@playwright/test";

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export async function boxOf(element: Locator): Promise<Box> {
  const box = await element.boundingBox();
  if (box === null) throw new Error("it is not on the page");
  return box;
}

/** What is on that part of the screen, as a PNG in base64. */
export const pictureOf = async (page: Page, clip: Box): Promise<string> =>
  (await page.screenshot({ clip, animations: "disabled" })).toString("base64");

/**
 * The largest difference of two PNGs, 0 to 255, each pixel taken with its neighbours: text that begins a
 * fraction of a pixel later differs by some 20, another character by more than 100.
 */
export const largestDifference = (page: Page, one: string, other: string): Promise<number> =>
  page.evaluate(
    async (pngs) => {
      const [a, b] = await Promise.all(
        pngs.map(async (png) => {
          const picture = await createImageBitmap(
            new Blob([Uint8Array.from(atob(png), (byte) => byte.charCodeAt(0))], { type: "image/png" }),
          );
          const { width, height } = picture;
          const context = new OffscreenCanvas(width, height).getContext("2d");
          if (context === null) throw new Error("there is no canvas");
          context.fillStyle = "white"; // black text on nothing would be black on black
          context.fillRect(0, 0, width, height);
          context.drawImage(picture, 0, 0);
          const { data } = context.getImageData(0, 0, width, height);
          const blurred = new Float64Array(width * height);
          for (let y = 1; y < height - 1; y += 1) {
            for (let x = 1; x < width - 1; x += 1) {
              let sum = 0;
              for (let dy = -1; dy <= 1; dy += 1) {
                for (let dx = -1; dx <= 1; dx += 1) sum += data[4 * ((y + dy) * width + x + dx) + 1] ?? 0;
              }
              blurred[y * width + x] = sum / 9;
            }
          }
          return { width, height, blurred };
        }),
      );
      if (a?.width !== b?.width || a?.height !== b?.height || a === undefined || b === undefined) return 255;
      return a.blurred.reduce((most, grey, i) => Math.max(most, Math.abs(grey - (b.blurred[i] ?? 0))), 0);
    },
    [one, other],
  );
