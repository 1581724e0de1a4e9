import { expect, test } from "vitest";
import { rowLayout } from "./rowLayout";

const room = { width: 717, height: null, rem: 16, isCoarse: false } as const;

test.each([
  [390, 3],
  [544, 3],
  [600, 3],
  [672, 4],
  [717, 5],
  [1200, 5],
])("a panel of %i px has room for %i chips of nine letters and more", (width, columns) => {
  const layout = rowLayout({ ...room, width }, 13, 5);
  expect(layout.columns).toBe(columns);
  expect(layout.letters).toBeGreaterThanOrEqual(9);
});

test("fewer predictions have more room each", () => {
  expect(rowLayout(room, 13, 1).letters).toBeGreaterThan(2 * rowLayout(room, 13, 5).letters);
});

test("rows that share a low window have one line, with at least three predictions in it", () => {
  const layout = rowLayout({ ...room, width: 672, height: 600 }, 25, 5);
  expect(layout).toMatchObject({ rowHeight: 24, isOneLine: true, hasText: true });
  expect(layout.columns).toBeGreaterThanOrEqual(3);
  expect(layout.letters).toBeGreaterThanOrEqual(9);
});

test("rows below 15 px have no text, and none is lower than 12 px", () => {
  expect(rowLayout({ ...room, height: 25 * 14 }, 25, 5)).toMatchObject({ rowHeight: 14, hasText: false });
  expect(rowLayout({ ...room, height: 100 }, 25, 5)).toMatchObject({ rowHeight: 12, hasText: false });
});

test("more room than the rows need does not make them higher, nor does larger type make them overlap", () => {
  expect(rowLayout({ ...room, height: 2000 }, 13, 5).rowHeight).toBe(31);
  expect(rowLayout({ ...room, height: 2000, rem: 24 }, 13, 5).rowHeight).toBe(46.5);
});

test("more predictions than a line has go on in further lines, in rows that are all as high", () => {
  const layout = rowLayout({ ...room, height: 300 }, 13, 20);
  expect(layout).toMatchObject({ columns: 5, lines: 4, rowHeight: 4 * 31 });
});

test("under a finger a row is as high as a fingertip, 44 px, however low the window", () => {
  expect(rowLayout({ ...room, height: 300, isCoarse: true }, 13, 5).rowHeight).toBe(44);
});
