import { expect, test } from "vitest";
import {
  NO_VALUE,
  formatCount,
  formatLogprob,
  formatNats,
  formatProbability,
  formatRank,
  formatShortProbability,
  formatSurprisal,
  surprisalNats,
} from "./format";

test.each([
  [1, ">0.999"],
  [0.99951, ">0.999"],
  [0.9994, "0.999"],
  [0.6214, "0.621"],
  [0.0421, "0.042"],
  [0.00999, "0.0100"],
  [0.00423, "0.0042"],
  [0.000999, "1.0e-3"],
  [0.0000021, "2.1e-6"],
  [3e-38, "3.0e-38"],
  [0, "<1e-45"],
  [null, NO_VALUE],
  [Number.NaN, NO_VALUE],
])("probability %s reads %s", (value, text) => {
  expect(formatProbability(value)).toBe(text);
});

test.each([
  [1, ">0.999"],
  [0.9994, "0.999"],
  [0.6214, "0.621"],
  [0.00423, "0.004"],
  [0.001, "0.001"],
  [0.000999, "<0.001"],
  [0, "<0.001"],
  [Number.NaN, NO_VALUE],
])("probability %s reads %s where there is little room", (value, text) => {
  expect(formatShortProbability(value)).toBe(text);
});

test("no probability between the ends ever reads as one of them", () => {
  for (let exponent = -44; exponent <= 0; exponent += 0.01) {
    expect(Number(formatProbability(10 ** exponent).replace(/^[<>]/, ""))).toBeGreaterThan(0);
    expect(formatProbability(1 - 10 ** exponent)).not.toMatch(/^1/);
  }
});

test.each([
  [1, "1"],
  [50257, "50,257"],
  [null, NO_VALUE],
])("rank %s reads %s", (value, text) => {
  expect(formatRank(value)).toBe(text);
});

test.each([
  [0, "0"],
  [1.944, "1.94"],
  [0.0312, "0.031"],
  [0.00312, "0.0031"],
  [0.0000021, "2.1e-6"],
  [-0.0000021, "−2.1e-6"],
  [123.456, "123.5"],
  [null, NO_VALUE],
])("%s nats read %s", (value, text) => {
  expect(formatNats(value)).toBe(text);
});

test.each([
  [1, "0"],
  [0.6214, "−0.48"],
  [3e-38, "−86.40"],
  [0, "<−103"],
  [null, NO_VALUE],
])("the log of a probability of %s reads %s", (value, text) => {
  expect(formatLogprob(value)).toBe(text);
});

test("the surprisal of an underflow is a bound, never infinite", () => {
  expect(formatSurprisal(-0.48)).toBe("0.48");
  expect(formatSurprisal(Math.log(0))).toBe(">103");
  expect(surprisalNats(0.5)).toBeCloseTo(Math.LN2, 12);
  expect(surprisalNats(0)).toBeGreaterThan(103);
  expect(surprisalNats(0)).toBeLessThan(104);
});

test("counts have thousands separators", () => {
  expect(formatCount(124439808)).toBe("124,439,808");
});
