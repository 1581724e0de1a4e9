import { expect, test } from "vitest";
import { offersFor } from "./offers";

test("the last word of a known kind is replaced by others of its kind", () => {
  expect(offersFor("What is the capital of France?")).toEqual([
    { word: "Spain", text: "What is the capital of Spain?" },
    { word: "Italy", text: "What is the capital of Italy?" },
    { word: "Germany", text: "What is the capital of Germany?" },
  ]);
});

test("no word is offered that the text has already", () => {
  const words = offersFor("Madrid is in Spain. The capital of France is").map(({ word }) => word);
  expect(words).toEqual(["Italy", "Germany", "Japan"]);
});

test("a text without such a word has no offers", () => {
  expect(offersFor("Tell me a joke")).toEqual([]);
  expect(offersFor("")).toEqual([]);
});
