import { expect, test } from "vitest";
import { panelsOf } from "./panels";

const COLUMN = {
  nRows: 13,
  width: 229,
  maxHeight: 680,
  left: { text: 35, bare: 26 },
  widestText: 38,
  turnedHeight: 40,
  gap: 10,
} as const;

test("few columns have words in their cells, as wide as the words where there is room", () => {
  const panels = panelsOf({ ...COLUMN, nColumns: 5 });
  expect(panels).toMatchObject({ hasText: true, nPanels: 1, perPanel: 5 });
  expect(panels.cellWidth).toBeGreaterThanOrEqual(COLUMN.widestText);
});

test("panels are added until no word is cut, while they stay about as tall as wide", () => {
  const wide = { ...COLUMN, nColumns: 18, width: 470, maxHeight: 1000 };
  expect(panelsOf({ ...wide, widestText: 60 })).toMatchObject({ hasText: true, nPanels: 3, perPanel: 6 });
  expect(panelsOf({ ...wide, widestText: 60, nRows: 30 }).nPanels).toBe(2);
});

test("words are given up where the panels would not fit the height of a slide", () => {
  const slide = { ...COLUMN, nColumns: 18, width: 468, maxHeight: 220 };
  expect(panelsOf({ ...slide, nColumns: 12 }).hasText).toBe(true);
  expect(panelsOf(slide)).toMatchObject({ hasText: false, nPanels: 1 });
});

test.each([20, 27, 28, 100])(
  "%d columns are in colour alone, each wide enough for a line of type",
  (nColumns) => {
    const panels = panelsOf({ ...COLUMN, nColumns });
    expect(panels.hasText).toBe(false);
    expect(panels.cellWidth).toBeGreaterThanOrEqual(7.6);
    expect(panels.left + panels.perPanel * panels.cellWidth).toBeLessThanOrEqual(COLUMN.width + 1e-9);
    expect(panels.perPanel * panels.nPanels).toBeGreaterThanOrEqual(nColumns);
    expect(panels.perPanel * (panels.nPanels - 1)).toBeLessThan(nColumns);
  },
);
