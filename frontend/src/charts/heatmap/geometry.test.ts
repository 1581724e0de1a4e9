import { describe, expect, test } from "vitest";
import {
  CELL_HEIGHT,
  HEAD_HEIGHT,
  LABEL_WIDTH,
  contentSize,
  fittingHeight,
  fittingWidth,
  hitAt,
  offsetToShow,
  placeAfterKey,
  rowOf,
  shownLayer,
  spanBetween,
  stridedLayers,
  visiblePositions,
  visibleRows,
  zoomed,
} from "./geometry";
import { everyLayer } from "@/model/layers";

const grid = {
  nPositions: 100,
  layers: stridedLayers(everyLayer(12, false), 1),
  cellWidth: 64,
  cellHeight: CELL_HEIGHT,
};
const view = { width: LABEL_WIDTH + 5 * 64, height: HEAD_HEIGHT + 6 * CELL_HEIGHT };
const start = { left: 0, top: 0 };

describe("what is on the screen", () => {
  test("counts columns and rows that are only partly seen", () => {
    expect(visiblePositions(grid, view, start)).toEqual({ start: 0, end: 5 });
    expect(visiblePositions(grid, view, { left: 65, top: 0 })).toEqual({ start: 1, end: 7 });
    expect(visibleRows(grid, view, { left: 0, top: 1 })).toEqual({ start: 0, end: 7 });
  });

  test("ends with the grid", () => {
    expect(visiblePositions(grid, view, { left: 98 * 64, top: 0 })).toEqual({ start: 98, end: 100 });
    expect(visibleRows(grid, { width: 500, height: 2000 }, start)).toEqual({ start: 0, end: 13 });
  });
});

describe("what is under the pointer", () => {
  test("a cell, counting layers from the embedding at the bottom", () => {
    expect(hitAt(grid, start, LABEL_WIDTH + 1, HEAD_HEIGHT + 1)).toEqual({ position: 0, layer: 12 });
    expect(hitAt(grid, { left: 640, top: 0 }, LABEL_WIDTH + 64, HEAD_HEIGHT + 13 * CELL_HEIGHT - 1)).toEqual({
      position: 11,
      layer: 0,
    });
  });

  test("a column head or a row label", () => {
    expect(hitAt(grid, start, LABEL_WIDTH + 70, 10)).toEqual({ position: 1, layer: null });
    expect(hitAt(grid, start, 10, HEAD_HEIGHT + CELL_HEIGHT)).toEqual({ position: null, layer: 11 });
  });

  test("nothing in the corner and beyond the last row or column", () => {
    expect(hitAt(grid, start, 10, 10)).toBeNull();
    expect(hitAt(grid, start, LABEL_WIDTH + 1, HEAD_HEIGHT + 13 * CELL_HEIGHT)).toBeNull();
    expect(hitAt({ ...grid, nPositions: 2 }, start, LABEL_WIDTH + 130, HEAD_HEIGHT + 1)).toBeNull();
  });
});

describe("bringing a cell into view", () => {
  test("moves nothing when it is there", () => {
    expect(offsetToShow(grid, view, { left: 64, top: 0 }, { position: 3, layer: 12 })).toEqual({
      left: 64,
      top: 0,
    });
  });

  test("moves just far enough to either side, with two columns beside it", () => {
    expect(offsetToShow(grid, view, { left: 640, top: 0 }, { position: 4, layer: 12 })).toEqual({
      left: 2 * 64,
      top: 0,
    });
    expect(offsetToShow(grid, view, start, { position: 7, layer: 0 })).toEqual({
      left: 5 * 64,
      top: 7 * CELL_HEIGHT,
    });
    expect(offsetToShow(grid, view, { left: 640, top: 0 }, { position: 1, layer: 12 }).left).toBe(0);
  });

  test("a view of a column and a half has the one that is asked for in its middle", () => {
    const small = { ...view, width: LABEL_WIDTH + 96 };
    expect(offsetToShow(grid, small, start, { position: 7, layer: null }).left).toBe(7 * 64 - 16);
  });

  test("a selected column comes to the middle from out of view, and only to the edge from its border", () => {
    const far = offsetToShow(grid, view, start, { position: 40, layer: null, isCentred: true });
    expect(far.left).toBe(40 * 64 - 2 * 64);
    const narrow = { ...view, width: LABEL_WIDTH + 9 * 64 };
    const partly = { left: 32, top: 0 };
    expect(offsetToShow(grid, narrow, partly, { position: 9, layer: null, isCentred: true }).left).toBe(
      3 * 64,
    );
    expect(offsetToShow(grid, narrow, start, { position: 20, layer: null, isCentred: true }).left).toBe(
      16 * 64,
    );
  });

  test("keeps the rows when only a column is asked for", () => {
    expect(offsetToShow(grid, view, { left: 0, top: 20 }, { position: 7, layer: null })).toEqual({
      left: 5 * 64,
      top: 20,
    });
  });
});

test.each([
  ["ArrowLeft", false, { position: 49, layer: 6 }],
  ["ArrowRight", false, { position: 51, layer: 6 }],
  ["ArrowUp", false, { position: 50, layer: 7 }],
  ["ArrowDown", false, { position: 50, layer: 5 }],
  ["PageUp", false, { position: 50, layer: 12 }],
  ["PageDown", false, { position: 50, layer: 0 }],
  ["Home", false, { position: 0, layer: 6 }],
  ["End", false, { position: 99, layer: 6 }],
  ["Home", true, { position: 0, layer: 12 }],
  ["End", true, { position: 99, layer: 0 }],
  ["a", false, null],
])("%s (with control: %s) leads to %o", (key, withControl, place) => {
  expect(placeAfterKey(grid, { position: 50, layer: 6 }, key, withControl)).toEqual(place);
});

test("the keys stop at the edges", () => {
  expect(placeAfterKey(grid, { position: 0, layer: 12 }, "ArrowLeft", false)).toEqual({
    position: 0,
    layer: 12,
  });
  expect(placeAfterKey(grid, { position: 99, layer: 12 }, "ArrowUp", false)).toEqual({
    position: 99,
    layer: 12,
  });
});

describe("with every few layers only", () => {
  const few = { ...grid, layers: stridedLayers(everyLayer(23, false), 4) };

  test.each([
    [13, 1, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    [13, 4, [0, 4, 8, 12]],
    [24, 2, [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 23]],
    [2, 4, [0, 1]],
  ] as const)("of %i layers every %i, the embedding and the output are always there", (n, stride, layers) => {
    expect(stridedLayers(everyLayer(n - 1, false), stride)).toEqual(layers);
  });

  test("a layer is found by its row, and a hidden one has none", () => {
    expect(few.layers).toEqual([0, 4, 8, 12, 16, 20, 23]);
    expect(hitAt(few, start, LABEL_WIDTH + 1, HEAD_HEIGHT + CELL_HEIGHT + 1)).toEqual({
      position: 0,
      layer: 20,
    });
    expect([23, 20, 0, 21].map((layer) => rowOf(few, layer))).toEqual([0, 1, 6, null]);
    expect([21, 9, 0].map((layer) => shownLayer(few, layer))).toEqual([23, 12, 0]);
    expect(offsetToShow(few, view, { left: 0, top: 5 }, { position: 0, layer: 21 })).toEqual({
      left: 0,
      top: 5,
    });
  });

  test("the keys go from one shown layer to the next", () => {
    expect(placeAfterKey(few, { position: 1, layer: 20 }, "ArrowUp", false)?.layer).toBe(23);
    expect(placeAfterKey(few, { position: 1, layer: 20 }, "ArrowDown", false)?.layer).toBe(16);
    expect(placeAfterKey(few, { position: 1, layer: 21 }, "ArrowDown", false)?.layer).toBe(20);
    expect(placeAfterKey(few, { position: 1, layer: 16 }, "PageDown", false)?.layer).toBe(0);
  });
});

test("a range holds both its ends, whichever was first", () => {
  expect([spanBetween(3, 7), spanBetween(7, 3), spanBetween(4, 4)]).toEqual([
    { start: 3, end: 8 },
    { start: 3, end: 8 },
    { start: 4, end: 5 },
  ]);
});

test("zooming goes through the widths and stops at the ends", () => {
  expect([zoomed(64, 1), zoomed(64, -1), zoomed(4, -1), zoomed(132, 1)]).toEqual([92, 44, 4, 132]);
});

test("a fitting width shows every column, or is the narrowest there is", () => {
  expect(fittingWidth(20, LABEL_WIDTH + 20 * 50)).toBe(44);
  expect(fittingWidth(1024, 600)).toBe(4);
});

test("the rows that fit a window are no higher than usual and no lower than 12 px", () => {
  const room = (rows: number, height: number): number => HEAD_HEIGHT + 16 + rows * height;
  expect(fittingHeight(25, room(25, 15.9))).toBe(15);
  expect(fittingHeight(25, room(25, 40))).toBe(CELL_HEIGHT);
  expect(fittingHeight(49, room(25, 12))).toBe(12);
});

test("lower rows take less room and are hit, shown and counted where they are drawn", () => {
  const low = { ...grid, cellHeight: 12 };
  expect(contentSize(low).height).toBe(HEAD_HEIGHT + 13 * 12);
  expect(hitAt(low, start, LABEL_WIDTH + 1, HEAD_HEIGHT + 12 * 12 + 1)).toEqual({ position: 0, layer: 0 });
  expect(visibleRows(low, { ...view, height: HEAD_HEIGHT + 60 }, start)).toEqual({ start: 0, end: 5 });
  const place = { position: 0, layer: 0 };
  expect(offsetToShow(low, { ...view, height: HEAD_HEIGHT + 60 }, start, place).top).toBe(13 * 12 - 60);
});
