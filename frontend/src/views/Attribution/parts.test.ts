import { describe, expect, test } from "vitest";
import { madeUpAttribution } from "@/test/attributionData";
import { N_LAYERS, madeUpTokens } from "@/test/lensData";
import { type PartRow, partTree, visibleRows } from "./parts";

const tokens = madeUpTokens(12);
const whole = madeUpAttribution(tokens, { position: 8, unit: "head" });
const details = new Map([
  ["3h1", madeUpAttribution(tokens, { position: 8, unit: "source", block: 3, head: 1 })],
  ["3m", madeUpAttribution(tokens, { position: 8, unit: "neuron", block: 3, top_k: 5 })],
]);
const tree = partTree(whole, details, { sources: true, neurons: true }, 5);

const all = (rows: readonly PartRow[]): PartRow[] => rows.flatMap((row) => [row, ...all(row.children ?? [])]);
const byId = (id: string): PartRow => {
  const row = all(tree).find((each) => each.id === id);
  if (row === undefined) throw new Error(`no row ${id}`);
  return row;
};

test("the first level is the embedding, one row for each block and the final biases, in running order", () => {
  expect(tree.map(({ id }) => id)).toEqual([
    "embed",
    ...Array.from({ length: N_LAYERS }, (_, i) => `${i + 1}`),
    "bias",
  ]);
  expect(byId("3").children?.map(({ id }) => id)).toEqual(["3a", "3m", "3b"]);
  expect(byId("3a").children?.map(({ id }) => id)).toEqual(["3h0", "3h1", "3h2"]);
});

describe("sums", () => {
  test("the rows of the first level add up to the API's sum", () => {
    expect(tree.reduce((sum, { contribution }) => sum + contribution, 0)).toBeCloseTo(whole.sum, 9);
    const last = tree.at(-1);
    expect((last?.start ?? 0) + (last?.contribution ?? 0)).toBeCloseTo(whole.sum, 9);
  });

  test("children add up to their parent in all three numbers, and their bars fill its bar", () => {
    const parents = all(tree).filter(({ children }) => children !== null);
    expect(parents.map(({ id }) => id)).toEqual(expect.arrayContaining(["1", "3a", "3h1", "3m"]));
    for (const { start, contribution, target, foil, children } of parents) {
      const rows = children ?? [];
      expect(rows.reduce((sum, each) => sum + each.contribution, 0)).toBeCloseTo(contribution, 9);
      expect(rows.reduce((sum, each) => sum + each.target, 0)).toBeCloseTo(target, 9);
      expect(rows.reduce((sum, each) => sum + (each.foil ?? 0), 0)).toBeCloseTo(foil ?? 0, 9);
      expect(rows[0]?.start).toBeCloseTo(start, 9);
      const last = rows.at(-1);
      expect((last?.start ?? 0) + (last?.contribution ?? 0)).toBeCloseTo(start + contribution, 9);
    }
  });
});

test("a head shows its largest words first and the others as one row", () => {
  const words = byId("3h1").children ?? [];
  expect(words).toHaveLength(6);
  expect(words.at(-1)).toMatchObject({ kind: "rest", count: 4 });
  const sizes = words.slice(0, 5).map(({ contribution }) => Math.abs(contribution));
  expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
});

test("only what is below an open row is seen", () => {
  expect(visibleRows(tree, new Set(["3a"])).map(({ id }) => id)).toEqual(tree.map(({ id }) => id));
  const seen = visibleRows(tree, new Set(["3", "3a"])).map(({ id }) => id);
  expect(seen.slice(3, 8)).toEqual(["3", "3a", "3h0", "3h1", "3h2"]);
});

test("what the model cannot be asked for does not open", () => {
  const closed = partTree(whole, new Map(), { sources: false, neurons: false }, 5);
  expect(all(closed).filter(({ opening }) => opening !== null)).toEqual([]);
});
