import { expect, test } from "vitest";
import { pixelSize, withDensity } from "./png";

const figure = (widthMm: number, heightMm: number) => ({ width: 0, height: 0, svg: "", widthMm, heightMm });

test("a figure has the pixels of its width at the density, and is refused where a browser draws none", () => {
  expect(pixelSize(figure(85, 42.5), 300)).toEqual({ width: 1004, height: 502 });
  expect(pixelSize(figure(338.667, 190.5), 144)).toEqual({ width: 1920, height: 1080 });
  expect(() => pixelSize(figure(170, 1500), 300)).toThrow(/Choose fewer columns, or save the SVG/);
});

test("a PNG says its density in a chunk after the header", () => {
  const png = Uint8Array.from({ length: 40 }, (_, i) => i);
  const dense = withDensity(png, 300);
  expect([...dense.subarray(0, 33), ...dense.subarray(54)]).toEqual([...png]);
  const view = new DataView(dense.buffer, 33);
  expect(view.getUint32(0)).toBe(9);
  expect(new TextDecoder().decode(dense.subarray(37, 41))).toBe("pHYs");
  expect([view.getUint32(8), view.getUint32(12), view.getUint8(16)]).toEqual([11_811, 11_811, 1]);
  // As zlib computes it.
  expect(view.getUint32(17)).toBe(0x78a53f76);
});
