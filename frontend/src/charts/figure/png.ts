/** A figure in pixels, which needs a browser. */
import { type Figure, FigureTooLarge } from "./figure";

/** A browser's canvas stays empty, without an error, where a side is longer or the area much larger. */
const MAX_SIDE = 16_384;
const MAX_PIXELS = 120_000_000;

const MM_PER_INCH = 25.4;

export interface PixelSize {
  readonly width: number;
  readonly height: number;
}

/** Throws FigureTooLarge. */
export function pixelSize({ widthMm, heightMm }: Figure, dotsPerInch: number): PixelSize {
  const width = Math.round((widthMm / MM_PER_INCH) * dotsPerInch);
  const height = Math.round((heightMm / MM_PER_INCH) * dotsPerInch);
  if (Math.max(width, height) > MAX_SIDE || width * height > MAX_PIXELS) {
    throw new FigureTooLarge(
      `The picture would have ${width} × ${height} pixels; a browser draws ${MAX_SIDE} a side. Choose fewer columns, or save the SVG.`,
    );
  }
  return { width, height };
}

/** A PNG that says how large it is on paper. Throws FigureTooLarge. */
export async function toPng(figure: Figure, dotsPerInch: number): Promise<Blob> {
  const { width, height } = pixelSize(figure, dotsPerInch);
  const url = URL.createObjectURL(new Blob([figure.svg], { type: "image/svg+xml" }));
  try {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d");
    context?.drawImage(picture, 0, 0, width, height);
    // Safari decodes embedded fonts after the first drawing.
    await new Promise((resolve) => requestAnimationFrame(resolve));
    context?.clearRect(0, 0, width, height);
    context?.drawImage(picture, 0, 0, width, height);
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
    if (blob === null) {
      throw new FigureTooLarge("The browser could not draw a picture this large. Save the SVG.");
    }
    const bytes = withDensity(new Uint8Array(await blob.arrayBuffer()), dotsPerInch);
    return new Blob([bytes], { type: "image/png" });
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** Where the first chunk, IHDR, of every PNG ends. */
const AFTER_HEADER = 33;

/** The PNG with a `pHYs` chunk, by which programs place it in its size on paper. */
export function withDensity(png: Uint8Array, dotsPerInch: number): Uint8Array<ArrayBuffer> {
  const perMetre = Math.round((1000 * dotsPerInch) / MM_PER_INCH);
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, 9);
  chunk.set(new TextEncoder().encode("pHYs"), 4);
  view.setUint32(8, perMetre);
  view.setUint32(12, perMetre);
  chunk[16] = 1; // the unit is the metre
  view.setUint32(17, crc32(chunk.subarray(4, 17)));
  const result = new Uint8Array(png.length + chunk.length);
  result.set(png.subarray(0, AFTER_HEADER));
  result.set(chunk, AFTER_HEADER);
  result.set(png.subarray(AFTER_HEADER), AFTER_HEADER + chunk.length);
  return result;
}

/** The checksum of PNG's chunks (ISO 3309). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
