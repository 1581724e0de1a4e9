import { describe, expect, test } from "vitest";
import { N_LAYERS, agreesAt, madeUpComparison } from "@/test/lensData";
import { align } from "@/features/pair/alignment";
import { differenceOf, partingOf } from "./differences";
import { type FirstChoices, PairColumns, TargetColumns } from "./pairColumns";

const side = { kind: "logit" as const, prompt: "x" };
const request = (positions: [number, number][], targets: number[] = []) => ({
  a: side,
  b: side,
  positions,
  targets,
});

describe("what was compared", () => {
  const columns = new PairColumns();
  const first = madeUpComparison(
    request([
      [3, 5],
      [0, 0],
    ]),
  );
  const second = madeUpComparison(request([[4, 9]]));
  columns.mergeResponse(first);
  columns.mergeResponse(second);

  test("is kept by pair, in whatever order it came", () => {
    for (const [response, i, a, b] of [
      [first, 0, 3, 5],
      [first, 1, 0, 0],
      [second, 0, 4, 9],
    ] as const) {
      for (const row of [0, 7, N_LAYERS]) {
        const pair = { a, b };
        expect(columns.jsNats(pair, row)).toBeCloseTo(response.js_nats[row]?.[i] ?? Number.NaN, 6);
        expect(columns.klAToBNats(pair, row)).toBeCloseTo(response.kl_a_to_b_nats[row]?.[i] ?? Number.NaN, 5);
        expect(columns.klBToANats(pair, row)).toBeCloseTo(response.kl_b_to_a_nats[row]?.[i] ?? Number.NaN, 5);
        expect(columns.firstChoices(pair, row)).toMatchObject({
          aId: response.a_top_id[row]?.[i],
          bId: response.b_top_id[row]?.[i],
        });
      }
    }
  });
  test("is nothing for a pair, or a row, that was not", () => {
    expect(columns.isRead({ a: 5, b: 3 })).toBe(false);
    expect(columns.jsNats({ a: 5, b: 3 }, 0)).toBeNaN();
    expect(columns.firstChoices({ a: 5, b: 3 }, 0)).toBeNull();
    expect(columns.firstChoices({ a: 3, b: 5 }, N_LAYERS + 1)).toBeNull();
  });
  test("an alignment that changes finds its pairs again", () => {
    const pairs = new PairColumns();
    pairs.mergeResponse(
      madeUpComparison(
        request([
          [0, 0],
          [2, 1],
          [3, 2],
        ]),
      ),
    );
    const alignment = align([1, 2, 3, 4], [1, 3, 4, 5, 6]);
    expect([pairs.readCount(alignment), alignment.nPairs]).toEqual([3, 3]);
    const grown = align([1, 2, 3, 4, 5], [1, 3, 4, 5, 6]);
    expect([pairs.readCount(grown), grown.nPairs]).toEqual([3, 4]);
  });
  test("answers of another number of rows are refused", () => {
    const one = madeUpComparison({ ...request([[1, 1]]), layers: [[2, 3]] });
    expect(() => columns.mergeResponse(one)).toThrow(/1 rows/);
  });
});

test("the chosen token is on both sides, its difference is B minus A", () => {
  const response = madeUpComparison(request([[2, 4]], [1005]));
  const target = new TargetColumns(1005);
  target.mergeResponse(response);
  const [answer] = response.targets;
  const place = target.target({ a: 2, b: 4 }, 3);
  expect(place).toMatchObject({ aRank: 3, bRank: 6 });
  const { value } = differenceOf("target");
  expect(value({ pairs: new PairColumns(), target }, { a: 2, b: 4 }, 3)).toBeCloseTo(
    (answer?.b_probability[3]?.[0] ?? 0) - (answer?.a_probability[3]?.[0] ?? 0),
    6,
  );
  expect(value({ pairs: new PairColumns(), target: null }, { a: 2, b: 4 }, 3)).toBeNaN();
  expect(() => new TargetColumns(7).mergeResponse(response)).toThrow(/lacks the token 7/);
});

describe("where two predictions part", () => {
  const rows = (...same: boolean[]): FirstChoices[] =>
    same.map((each) => ({ aId: 1, aProbability: 0.5, bId: each ? 1 : 2, bProbability: 0.5 }));
  test("is the first layer from which on the first choices differ to the end", () => {
    expect(partingOf(rows(true, false, true, false, false))).toMatchObject({
      kind: "differ",
      from: 3,
      earlier: [1],
    });
    expect(partingOf(rows(false, false))).toMatchObject({ kind: "differ", from: 0 });
    expect(partingOf(rows(true, true, false))).toMatchObject({ kind: "differ", from: 2, earlier: [] });
  });
  test("or from which on they are the same", () => {
    expect(partingOf(rows(false, true, false, true))).toMatchObject({
      kind: "agree",
      from: 3,
      earlier: [1],
    });
    expect(partingOf(rows(true, true))).toMatchObject({ kind: "agree", from: 0 });
  });
  test("is not known before every layer is", () => {
    expect(partingOf([...rows(true), null])).toBeNull();
    expect(partingOf([])).toBeNull();
  });
  test("is found in what the server tells", () => {
    const columns = new PairColumns();
    columns.mergeResponse(madeUpComparison(request([[2, 3]])));
    const choices = Array.from({ length: N_LAYERS + 1 }, (_, row) =>
      columns.firstChoices({ a: 2, b: 3 }, row),
    );
    expect(agreesAt(3, 5) && !agreesAt(3, 6)).toBe(true);
    expect(partingOf(choices)).toMatchObject({ kind: "differ", from: 6 });
  });
});

test("small differences are not shown as none", () => {
  const { format } = differenceOf("target");
  expect([format(0), format(2e-6), format(-0.25), format(Number.NaN)]).toEqual([
    "0",
    "+2.0e-6",
    "−0.250",
    "–",
  ]);
});
