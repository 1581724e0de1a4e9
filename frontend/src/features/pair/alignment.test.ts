import { describe, expect, test } from "vitest";
import { type Alignment, align, columnOf } from "./alignment";

/** Numbers in [0, 1) that depend only on the seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const idsOf = (next: () => number, length: number, nIds: number): number[] =>
  Array.from({ length }, () => Math.floor(next() * nIds));

/** Length of the longest common subsequence, by the plain table. */
function commonLength(a: readonly number[], b: readonly number[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const id of a) {
    const next = [0];
    b.forEach((other, j) =>
      next.push(id === other ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0)),
    );
    row = next;
  }
  return row.at(-1) ?? 0;
}

const numbers = (length: number): number[] => Array.from({ length }, (_, i) => i);
const present = (sides: readonly (number | null)[]): number[] => sides.filter((side) => side !== null);

/** What must hold of every alignment. */
function expectSound(a: readonly number[], b: readonly number[], alignment: Alignment): void {
  const { columns } = alignment;
  // Each token of each side once, in order: nothing is lost, doubled or moved.
  expect(present(columns.map((column) => column.a))).toEqual(numbers(a.length));
  expect(present(columns.map((column) => column.b))).toEqual(numbers(b.length));
  for (const column of columns) {
    expect(column.a !== null || column.b !== null).toBe(true);
    const isSame = column.a !== null && column.b !== null && a[column.a] === b[column.b];
    expect(column.isSame).toBe(isSame);
  }
  const pairs = columns.filter((column) => column.a !== null && column.b !== null);
  expect(alignment.nPairs).toBe(pairs.length);
}

describe("properties, on random timelines", () => {
  const cases = Array.from({ length: 300 }, (_, seed) => {
    const next = random(seed + 1);
    const nIds = 1 + Math.floor(next() * 12);
    return [idsOf(next, Math.floor(next() * 30), nIds), idsOf(next, Math.floor(next() * 30), nIds)] as const;
  });

  test("every token stands in one column, in order, and only equal ids count as the same", () => {
    for (const [a, b] of cases) expectSound(a, b, align(a, b));
  });

  test("as many tokens as can be are paired with their equal", () => {
    for (const [a, b] of cases) {
      const { columns, isThorough } = align(a, b);
      expect(isThorough).toBe(true);
      const same = columns.filter((column) => column.isSame).length;
      expect(same).toBe(commonLength(a, b));
    }
  });

  test("a gap stands only where the other side has nothing left to pair in that run", () => {
    for (const [a, b] of cases) {
      const { columns } = align(a, b);
      columns.forEach((column, i) => {
        const next = columns[i + 1];
        if (next === undefined || column.isSame || next.isSame) return;
        const isGap = column.a === null || column.b === null;
        // Within a run the pairs come first and the gaps are all on one side.
        if (isGap) expect([next.a === null, next.b === null]).toEqual([column.a === null, column.b === null]);
      });
    }
  });

  test("a timeline beside itself has no gap and no difference", () => {
    for (const [a] of cases) {
      const { columns } = align(a, a);
      expect(columns.every((column) => column.isSame && column.a === column.b)).toBe(true);
      expect(columns).toHaveLength(a.length);
    }
  });
});

test("one changed word is one differing column, also where it is of more tokens", () => {
  const france = [1, 2, 3, 4, 5];
  expect(align(france, [1, 2, 9, 4, 5]).columns).toEqual([
    { a: 0, b: 0, isSame: true },
    { a: 1, b: 1, isSame: true },
    { a: 2, b: 2, isSame: false },
    { a: 3, b: 3, isSame: true },
    { a: 4, b: 4, isSame: true },
  ]);
  expect(align(france, [1, 2, 9, 8, 4, 5]).columns.slice(2, 5)).toEqual([
    { a: 2, b: 2, isSame: false },
    { a: null, b: 3, isSame: false },
    { a: 3, b: 4, isSame: true },
  ]);
});

test("one that goes on longer stands against gaps from there on", () => {
  const { columns, nPairs } = align([1, 2, 3, 4], [1, 2]);
  expect(columns.slice(2)).toEqual([
    { a: 2, b: null, isSame: false },
    { a: 3, b: null, isSame: false },
  ]);
  expect(nPairs).toBe(2);
  expect(align([], [])).toEqual({ columns: [], nPairs: 0, isThorough: true });
});

test("1,024 tokens beside 1,024 others are paired in bounded time, by their common beginning and end", () => {
  const a = [1, 2, 3, ...numbers(1017).map((i) => 10_000 + i), 7, 8, 9, 10];
  // One token in the middle is the same by chance of its place; it is told as the same all the same.
  const b = [1, 2, 3, ...numbers(1017).map((i) => (i === 500 ? 10_500 : 30_000 + i)), 7, 8, 9, 10];
  const start = performance.now();
  const alignment = align(a, b);
  // 65 ms on a quiet machine; without the bound a much longer text would take minutes.
  expect(performance.now() - start).toBeLessThan(2000);
  expect(alignment.isThorough).toBe(false);
  expectSound(a, b, alignment);
  expect(alignment.columns.filter((column) => column.isSame)).toHaveLength(8);
  expect(alignment.nPairs).toBe(1024);
});

test("a long text with a few changes is aligned thoroughly", () => {
  const next = random(5);
  const a = idsOf(next, 1024, 50_000);
  const b = a.flatMap((id, i) =>
    i % 100 === 50 ? [id + 100_000, id + 200_000] : i % 100 === 70 ? [] : [id],
  );
  const alignment = align(a, b);
  expect(alignment.isThorough).toBe(true);
  expectSound(a, b, alignment);
  expect(alignment.columns.filter((column) => column.isSame)).toHaveLength(1024 - 10 - 10);
});

test("the column of a token is found, and none for a token that is not there", () => {
  const alignment = align([1, 2, 3], [1, 9, 9, 9, 3]);
  expect(columnOf(alignment, 1)).toBe(1);
  expect(columnOf(alignment, 2)).toBe(4);
  expect(columnOf(alignment, 3)).toBeNull();
});
