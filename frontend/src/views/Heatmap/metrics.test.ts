import { beforeEach, expect, test } from "vitest";
import { fraction } from "@/charts/colour/colour";
import { LensColumns } from "@/reading/columns";
import { N_LAYERS, madeUpLens, madeUpTokens } from "@/test/lensData";
import { METRICS, type Metric, type MetricId, largestValue } from "./metrics";

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
  const scale = change.scale({ vocabularySize: 100, largest: 3.2 });
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
