import { describe, expect, test } from "vitest";
import { losslessText } from "@/model/bytes";
import { type Cell, asFloat32, heading, toCsv, toRecords } from "./table";

const columns = [
  { key: "token_text", unit: null },
  { key: "entropy_nats", unit: "nats" },
];
const body = (...cells: Cell[]): string =>
  toCsv({ columns, rows: [cells] })
    .split("\r\n")
    .slice(1)
    .join("\r\n");
const textOf = (text: string): string => body(text, null).slice(0, -",\r\n".length);

test("headings name the unit once", () => {
  expect(toCsv({ columns, rows: [] })).toBe("\ufefftoken_text,entropy [nats]\r\n");
  expect(heading({ key: "probability", unit: "0 to 1" })).toBe("probability [0 to 1]");
});

describe("what a spreadsheet would run as a formula is text", () => {
  test.each(["=1+1", "+1", "-1", "@SUM(A1)", " =1+1", "＝1", "=", "-"])("%j", (text) => {
    expect(textOf(text)).toBe(`"'${text}"`);
  });
  test("a negative number stays a number", () => {
    expect(body("a", -0.48)).toBe("a,-0.48\r\n");
  });
});

describe("texts of tokens stay on their line", () => {
  test.each([
    ["a,b", '"a,b"'],
    ['say "no"', '"say ""no"""'],
    ["a\nb", "a\\nb"],
    ["\n", "\\n"],
    ["\t=1", "\\t=1"],
    ["\r\n=1", "\\r\\n=1"],
    [" Paris", '" Paris"'],
    ["naïve 你好 😀", "naïve 你好 😀"],
    ["\u0000\u001b[0m", "\\x00\\x1b[0m"],
  ])("%j", (text, written) => {
    expect(textOf(text)).toBe(written);
  });
});

test("bytes that are no character are U+FFFD in both forms, as in the API", () => {
  const table = {
    columns: [{ key: "text", unit: null }],
    rows: [[losslessText(Uint8Array.of(0x20, 0xf0, 0x9f))]],
  };
  expect(toCsv(table)).toBe('\ufefftext\r\n" \ufffd"\r\n');
  expect(toRecords(table)).toEqual([{ text: " \ufffd" }]);
});

test("what does not exist is an empty cell", () => {
  expect(body("a", null)).toBe("a,\r\n");
});

test("a 32-bit float is written as short as it can be read back", () => {
  expect(asFloat32(Math.fround(0.43))).toBe(0.43);
  expect(asFloat32(Math.fround(2.1e-6))).toBe(2.1e-6);
  expect(asFloat32(50_257)).toBe(50_257);
  for (const value of [Math.PI, 1 / 3, 1e-30, 123.456789]) {
    expect(Math.fround(asFloat32(value))).toBe(Math.fround(value));
  }
});

test("records have the keys of the API", () => {
  expect(toRecords({ columns, rows: [["a", Math.fround(0.1)]] })).toEqual([
    { token_text: "a", entropy_nats: 0.1 },
  ]);
});
