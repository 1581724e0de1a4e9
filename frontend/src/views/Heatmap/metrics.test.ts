import { beforeEach, expect, test } from "vitest";
import { fraction } from "@/charts/colour/colour";
import { LensColumns } from "@/reading/columns";
import { N_LAYERS, madeUpLens, madeUpTokens } from "@/test/lensData";
import { METRICS, type Metric, type MetricId, extremeOf, largestValue } from "./metrics";

const tokens = madeUpTokens(20);
const lens = madeUpLens(tokens, {});
let columns: LensColumns;

beforeEach(() => {
  columns = new LensColumns();
  columns.mergeResponse(lens);
});

function metricOf(id: MetricId): Metric {
  const metric = METRICS.find((each) => each.id === id);
  if (metric === undefined) throw new Error(`no metric ${id}`);
  return metric;
}

test("the change is the difference of two log-probabilities that the server gave", () => {
  const change = metricOf("next_logprob_change");
  const [below = 0, here = 0] = [5, 6].map((layer) => lens.next_probability[layer]?.[4] ?? 0);
  expect(change.value(columns, 4, 6)).toBeCloseTo(Math.log(here) - Math.log(below), 4);
  expect(change.value(columns, 4, 0)).toBeNaN();
  expect(change.value(columns, 19, 6)).toBeNaN();
});

test("a change from or to an underflow has no number", () => {
  const zero = structuredClone(lens);
  const row = zero.next_probability[6];
  if (row !== undefined) row[4] = 0;
  columns.mergeResponse(zero);
  const change = metricOf("next_logprob_change");
  expect(change.value(columns, 4, 6)).toBeNaN();
  expect(change.value(columns, 4, 7)).toBeNaN();
});

test("no change lies in the middle of its scale, and its sign is written", () => {
  const change = metricOf("next_logprob_change");
  const scale = change.scale({ vocabularySize: 100, largest: 3.2, isFull: false });
  expect([-5, 0, 5].map((value) => fraction(scale, value))).toEqual([0, 0.5, 1]);
  expect([change.format(0.31), change.format(-0.31), change.format(0)]).toEqual(["+0.31", "−0.31", "0"]);
});

test("the largest value is looked for from a position and a layer on, by size", () => {
  const kl = metricOf("kl");
  const largest = (position: number, layer: number) =>
    Math.max(...lens.kl_to_final_nats.slice(layer).flatMap((row) => row.slice(position)));
  for (const [position, layer] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ] as const) {
    expect(largestValue(kl, columns, 20, { position, layer })).toBeCloseTo(largest(position, layer), 4);
  }
  expect(largest(0, 0)).toBeGreaterThan(2 * largest(1, 0));
  expect(largest(1, 0)).toBeGreaterThan(largest(1, 1));
  const change = metricOf("next_logprob_change");
  const sizes = Array.from({ length: 19 }, (_, position) =>
    Array.from({ length: N_LAYERS }, (__, layer) => Math.abs(change.value(columns, position, layer + 1))),
  ).flat();
  expect(largestValue(change, columns, 20, { position: 0, layer: 0 })).toBe(Math.max(...sizes));
  expect(largestValue(kl, new LensColumns(), 20, { position: 0, layer: 0 })).toBe(0);
});

test("the scale of the entropy ends at what was read, and at a uniform prediction only when asked to", () => {
  const { scale, unit } = metricOf("entropy");
  const range = { vocabularySize: 50_257, largest: 6.23, isFull: false };
  expect(scale(range)).toEqual({ kind: "linear", dark: 6.3, bright: 0 });
  expect(scale({ ...range, isFull: true }).dark).toBe(Math.log(50_257));
  expect(scale({ ...range, largest: 0 }).dark).toBe(Math.log(50_257));
  expect(unit).toContain("high is uncertain");
});

test("the cell that stands out is found among the numbers that the server gave", () => {
  const entropy = extremeOf(metricOf("entropy"), columns, 20);
  const most = Math.max(...lens.entropy_nats.flat());
  expect(entropy?.value).toBeCloseTo(most, 4);
  expect(lens.entropy_nats[entropy?.layer ?? -1]?.[entropy?.position ?? -1]).toBe(most);

  const rank = extremeOf(metricOf("next_rank"), columns, 20);
  expect(rank?.layer).toBe(N_LAYERS);
  expect(rank?.value).toBe(Math.max(...(lens.next_rank[N_LAYERS] ?? []).map((each) => each ?? 0)));

  const least = extremeOf(metricOf("top_probability"), columns, 20);
  const tops = lens.top_probabilities.slice(1).flatMap((row) => row.map(([first = 1]) => first));
  expect(least?.value).toBeCloseTo(Math.min(...tops), 6);

  const kl = extremeOf(metricOf("kl"), columns, 20);
  expect(kl?.position).toBeGreaterThan(0);
  expect(kl?.layer).toBeGreaterThan(0);
  expect(extremeOf(metricOf("kl"), new LensColumns(), 20)).toBeNull();
});
