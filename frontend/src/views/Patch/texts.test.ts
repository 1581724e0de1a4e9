import { expect, test } from "vitest";
import type { Token } from "@/model/timeline";
import { beforeReply, patchTexts, questionOf } from "./texts";

const text = (written: string, replyStart: number): Token[] =>
  written.split(" ").map((word, index) => ({
    index,
    id: word.length * 1000 + word.charCodeAt(0),
    text: word,
    bytes: btoa(word),
    role: index < replyStart ? "user" : "assistant",
    special: false,
    logprob_nats: null,
    rank: null,
    entropy_nats: null,
    lens: null,
  }));

const side = (tokens: readonly Token[], name: string) => ({ source: { conversation_id: name }, tokens });
const a = side(text("capital of Spain ? it is Madrid indeed", 4), "a");
const b = side(text("capital of France ? it is Paris indeed", 4), "b");

test("is read before the first token on which the replies differ", () => {
  const texts = patchTexts(a, b, null);
  expect(texts.answers?.answer.text).toBe("Madrid");
  expect(texts.answers?.foil.text).toBe("Paris");
  expect(texts.a.tokens).toHaveLength(6);
  expect(texts.pairs).toEqual([0, 1, 2, 3, 4, 5].map((index) => [index, index]));
  expect(questionOf(texts, "noise")).toMatchObject({
    clean: { conversation_id: "a" },
    clean_length: 6,
    corrupt_length: 6,
    direction: "noise",
    answer: a.tokens[6]?.id,
    foil: b.tokens[6]?.id,
  });
});

test("is read before the answer, not before the changed word that both replies repeat first", () => {
  const [one, other] = ["Spain", "France"].map((country, i) =>
    side(text(`capital of ${country} ? ${country} has ${["Madrid", "Paris"][i]}`, 4), country),
  );
  if (one === undefined || other === undefined) throw new Error("no texts");
  expect(patchTexts(one, other, null).answers?.answer.text).toBe("Madrid");
  expect(patchTexts(one, other, 4).answers?.answer.text).toBe("Spain");
});

test("is read before the selected token, where B has another one there", () => {
  const longer = side(text("capital of Spain ? it is Madrid in Spain", 4), "a");
  const other = side(text("capital of France ? it is Paris in France", 4), "b");
  expect(patchTexts(longer, other, 8).answers?.answer.text).toBe("Spain");
  expect(patchTexts(longer, other, 7).answers?.answer.text).toBe("Madrid");
  // A token of the prompt is no answer.
  expect(patchTexts(longer, other, 2).answers?.answer.text).toBe("Madrid");
});

test("is read at the ends of both prompts where B has no reply", () => {
  const prompt = side(beforeReply(b.tokens), "b");
  const texts = patchTexts(a, prompt, null);
  expect(texts.answers).toBeNull();
  expect(texts.a.tokens).toHaveLength(4);
  expect(questionOf(texts, "denoise").answer).toBeNull();
});

test("leaves out what has no counterpart", () => {
  const short = side(text("capital Spain ? it is Rome", 3), "b");
  const texts = patchTexts(a, short, null);
  expect(texts.pairs).not.toContainEqual([1, expect.anything()]);
  expect(texts.pairs.at(-1)).toEqual([5, 4]);
});

test("a chosen answer and foil take the place of what the texts go on with, one by one", () => {
  const texts = patchTexts(a, b, null, { answer: 7, foil: null });
  expect(questionOf(texts, "denoise")).toMatchObject({ answer: 7, foil: texts.answers?.foil.id });
});
