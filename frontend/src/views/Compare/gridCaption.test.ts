import { expect, test } from "vitest";
import { DIFFERENCE } from "@/charts/colour/colour";
import { CellLooks } from "@/charts/heatmap/cellLooks";
import { CellPicture } from "@/charts/heatmap/CellPicture";
import { madeUpComparison } from "@/test/lensData";
import { align } from "@/features/pair/alignment";
import { differenceOf } from "./differences";
import { gridCaption } from "./gridCaption";
import { pairCells, pairHeads } from "./pairCells";
import { PairColumns } from "./pairColumns";

/** A gap at column 1, the other columns pairs. */
const alignment = align([1, 2, 3, 4], [1, 3, 4]);

function drawn(positions: [number, number][]) {
  const pairs = new PairColumns();
  if (positions.length > 0) pairs.mergeResponse(madeUpComparison({ a: {}, b: {}, positions }));
  const difference = differenceOf("js");
  const cells = pairCells({
    alignment,
    compared: { pairs, target: null },
    difference,
    rowOf: (layer) => layer,
  });
  const looks = new CellLooks({ cells, layers: [0, 1], scale: difference.scale(0) });
  return { looks, picture: new CellPicture(looks, DIFFERENCE.light, DIFFERENCE.light) };
}

test("the cells of a gap are empty, never hatched; those of an unread pair are hatched", () => {
  const { looks, picture } = drawn([[0, 0]]);
  expect(alignment.columns[1]).toMatchObject({ a: 1, b: null });
  expect([looks.hasValue(0, 0), looks.hasValue(1, 0)]).toEqual([true, false]);
  expect(picture.unread({ start: 0, end: 4 })).toEqual([{ start: 2, end: 4 }]);
  const lines = pairHeads(alignment, { a: ["a", "b", "c", "d"], b: ["a", "c", "d"] }, 92).lines(1);
  expect(lines.map(({ mark }) => mark)).toEqual([null, null, "gap"]);
});

test("the caption tells both, and of unread columns only while there are any", () => {
  const gap = "Beside an unaligned token the other line is hatched and the cells are empty.";
  const unread = "Columns with hatched cells are not read yet.";
  const all = gridCaption({ cellWidth: 92, hasGaps: true, hasUnread: true });
  expect(all).toContain(gap);
  expect(all).toContain(unread);
  expect(gridCaption({ cellWidth: 92, hasGaps: true, hasUnread: false })).not.toContain(unread);
  expect(gridCaption({ cellWidth: 92, hasGaps: false, hasUnread: true })).not.toContain("unaligned");
});

test("it names no line and no mark that narrow cells do not have", () => {
  const narrow = gridCaption({ cellWidth: 18, hasGaps: true, hasUnread: false });
  expect(narrow).toMatch(/^A bar above a column/);
  expect(narrow).not.toContain("line is hatched");
  expect(narrow).toContain("◥");
  expect(gridCaption({ cellWidth: 8, hasGaps: true, hasUnread: false })).not.toContain("◥");
});

test("the index of an unaligned token says which side it is of", () => {
  const alignment = align([1, 2, 3], [1, 9, 2, 3]);
  const texts = { a: ["a", "b", "c"], b: ["a", "x", "b", "c"] };
  const indices = (cellWidth: number): string[] =>
    alignment.columns.map((_, column) => pairHeads(alignment, texts, cellWidth).lines(column)[0].text);
  expect(indices(92)).toEqual(["0", "– | 1", "1 | 2", "2 | 3"]);
  expect(indices(28)).toEqual(["0", "B1", "1", "2"]);
});
