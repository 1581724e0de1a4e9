import { expect, test } from "vitest";
import { byDay, dateAndTime, dayLabel } from "./days";

const NOW = new Date(2026, 10, 25, 0, 30);

test.each([
  [new Date(2026, 10, 25, 0, 10), "Today"],
  [new Date(2026, 10, 25, 23, 0), "Today"], // a server whose clock is ahead
  [new Date(2026, 10, 24, 23, 59), "Yesterday"],
  [new Date(2026, 10, 23, 12), "Monday"],
  [new Date(2026, 10, 18, 12), "18 November"],
  [new Date(2025, 11, 31, 12), "31 December 2025"],
])("%s is %s", (date, label) => {
  expect(dayLabel(date, NOW)).toBe(label);
});

test("days are counted by the calendar, not by hours, when the clocks change", () => {
  expect(dayLabel(new Date(2026, 2, 28, 12), new Date(2026, 2, 29, 12))).toBe("Yesterday");
});

test("items are grouped in their order", () => {
  const dates = [new Date(2026, 10, 25), new Date(2026, 10, 25), new Date(2026, 10, 24)];
  expect(byDay(dates, (date) => date, NOW)).toEqual([
    { label: "Today", items: dates.slice(0, 2) },
    { label: "Yesterday", items: dates.slice(2) },
  ]);
});

test("a moment has the words of the page, whatever the language of the browser", () => {
  expect(dateAndTime(new Date(2026, 10, 5, 0, 9))).toBe("5 Nov 2026, 00:09");
});
