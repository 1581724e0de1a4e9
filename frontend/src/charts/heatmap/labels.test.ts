import { expect, test } from "vitest";
import { Labels } from "./labels";

/** Ten pixels a character. */
const measure = (text: string): number => 10 * Array.from(text).length;
const labels = () => new Labels(measure, (id) => `token ${id}`);

test("a text that fits is whole, a longer one ends with an ellipsis", () => {
  expect(labels().fit("Paris", 50)).toBe("Paris");
  expect(labels().fit("Parisian", 50)).toBe("Pari…");
  expect(labels().fit("👨👩👧👦", 30)).toBe("👨👩…");
});

test("where not even one character fits, there is nothing rather than an ellipsis alone", () => {
  expect(labels().fit("Paris", 15)).toBe("");
});

test("another width cuts anew, the same width measures once", () => {
  let measured = 0;
  const counting = new Labels(
    (text) => {
      measured += 1;
      return measure(text);
    },
    (id) => `token ${id}`,
  );
  expect(counting.fitted(7, 50)).toBe("toke…");
  const once = measured;
  expect(counting.fitted(7, 50)).toBe("toke…");
  expect(measured).toBe(once);
  expect(counting.fitted(7, 100)).toBe("token 7");
});

test("cells and heads of different widths, drawn by turns, measure once", () => {
  let measured = 0;
  const counting = new Labels(
    (text) => {
      measured += 1;
      return measure(text);
    },
    (id) => `token ${id}`,
  );
  const frame = (): string[] => [counting.fitted(7, 51), counting.fit("Paris", 52), counting.fitted(8, 51)];
  const first = frame();
  const once = measured;
  expect(frame()).toEqual(first);
  expect(frame()).toEqual(first);
  expect(measured).toBe(once);
});

test("an unknown prediction has no text", () => {
  expect(labels().fitted(-1, 100)).toBe("");
});
