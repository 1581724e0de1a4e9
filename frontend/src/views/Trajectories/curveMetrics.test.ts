import { expect, test } from "vitest";
import { type Curve, formatReading, formatTick, plotted, readingAt, sumOf } from "./curveMetrics";

const curve = (tokenId: number, probability: number[], rank: number[]): Curve => ({
  tokenId,
  text: `t${tokenId}`,
  layers: [0, 1, 2],
  probability,
  rank,
});
const A = curve(1, [0.001, 0.2, 0.5], [90, 2, 1]);
const B = curve(2, [0.002, 0.1, 0.25], [70, 3, 2]);

test("a sum adds the probabilities at each layer and has no rank", () => {
  const sum = sumOf([A, B]);
  expect(sum?.probability).toEqual([expect.closeTo(0.003), expect.closeTo(0.3), 0.75]);
  expect(sum?.rank).toBeNull();
  expect(readingAt(sum, 2)).toEqual({ probability: 0.75, rank: null });
});

test("a sum of one is that one, and a sum waits for all of its tokens", () => {
  expect(sumOf([A])).toBe(A);
  expect(sumOf([A, null])).toBeNull();
  expect(sumOf([null, A])).toBeNull();
  expect(sumOf([])).toBeNull();
});

test("rounding does not carry a sum past 1", () => {
  const certain = curve(1, [0.7, 0.7, 0.7], [1, 1, 1]);
  const rest = curve(2, [0.3000001, 0.3, 0.2], [2, 2, 2]);
  expect(sumOf([certain, rest])?.probability[0]).toBe(1);
});

test("what is drawn is the metric's value; an underflow and a sum's rank are not drawn", () => {
  expect(plotted(A, "probability")).toEqual([0.001, 0.2, 0.5]);
  expect(plotted(A, "rank")).toEqual([90, 2, 1]);
  expect(plotted(sumOf([A, B]), "rank")).toEqual([null, null, null]);
  expect(plotted(curve(3, [0, 1, 0.5], [9, 1, 1]), "logprob")).toEqual([null, 0, Math.log(0.5)]);
  expect(plotted(null, "rank")).toEqual([]);
});

test("the log of a sum is the log of the summed probability", () => {
  expect(plotted(sumOf([A, B]), "logprob")[2]).toBeCloseTo(Math.log(0.75), 12);
});

test("readings are told in the unit of the metric", () => {
  const reading = { probability: 0.6214, rank: 1234 };
  expect(formatReading(reading, "probability")).toBe("0.621");
  expect(formatReading(reading, "logprob")).toBe("−0.48");
  expect(formatReading(reading, "rank")).toBe("1,234");
  expect(formatReading({ ...reading, rank: null }, "rank")).toBe("–");
  expect(formatReading(null, "logprob")).toBe("–");
  expect(readingAt(A, 7)).toBeNull();
});

test.each([
  [0, "probability", "0"],
  [0.25, "probability", "0.25"],
  [0.00004, "probability", "4.0e-5"],
  [-20, "logprob", "−20"],
  [-0.4, "logprob", "−0.40"],
  [10_000, "rank", "10,000"],
] as const)("the tick %s of %s reads %s", (value, metric, text) => {
  expect(formatTick(value, metric)).toBe(text);
});
