import { expect, test } from "vitest";
import { twinMarks } from "./twins";

const at = (hour: number, minute: number, second = 0): number =>
  new Date(2026, 10, 25, hour, minute, second).getTime();

const listed = (id: string, title: string, updated_at_ms: number, n_tokens = 8) => ({
  id,
  title,
  updated_at_ms,
  n_tokens,
});

test("titles that differ have no mark", () => {
  expect(twinMarks([listed("a", "One", at(9, 5)), listed("b", "Two", at(9, 5))]).size).toBe(0);
});

test("the same title is told apart by time and length", () => {
  const marks = twinMarks([
    listed("a", "One", at(9, 5), 1),
    listed("b", "Two", at(9, 6)),
    listed("c", "One", at(14, 32), 1018),
  ]);
  expect([...marks]).toEqual([
    ["a", "09:05, 1 token"],
    ["c", "14:32, 1,018 tokens"],
  ]);
});

test("in the same minute seconds are told, but not of the one that was written at another time", () => {
  const marks = twinMarks([
    listed("a", "One", at(9, 5, 7)),
    listed("b", "One", at(9, 5, 48)),
    listed("c", "One", at(9, 6, 1)),
  ]);
  expect([...marks.values()]).toEqual(["09:05:07, 8 tokens", "09:05:48, 8 tokens", "09:06, 8 tokens"]);
});

test("titles that are alike up to where a list cuts them off look the same", () => {
  const start = "The capital of France is the city of";
  expect(
    twinMarks([listed("a", `${start} light`, at(1, 1)), listed("b", `${start} love`, at(2, 2))]).size,
  ).toBe(2);
});
