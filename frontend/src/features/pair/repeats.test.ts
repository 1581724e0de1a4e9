import { expect, test } from "vitest";
import type { Token } from "@/model/timeline";
import { align } from "./alignment";
import { repeatsChange } from "./repeats";

/** What follows `|` is the reply. */
function said(written: string): Pick<Token, "id" | "text" | "role">[] {
  const [prompt = "", reply = ""] = written.split("|");
  const words = (text: string, role: Token["role"]) =>
    text.split("_").map((word) => ({
      id: Array.from(word).reduce((id, c) => id * 31 + c.charCodeAt(0), 7),
      text: word,
      role,
    }));
  return [...words(prompt, "user"), ...(reply === "" ? [] : words(reply, "assistant"))];
}

function repeats(a: string, b: string): ReturnType<typeof repeatsChange> {
  const [tokensA, tokensB] = [said(a), said(b)];
  return repeatsChange(
    align(
      tokensA.map(({ id }) => id),
      tokensB.map(({ id }) => id),
    ),
    tokensA,
    tokensB,
  );
}

test("the changed word is repeated, and the answer to it is not", () => {
  const isRepeat = repeats(
    "Capital_ of_ France_?| Of_ France_:_ Paris",
    "Capital_ of_ Spain_?| Of_ Spain_:_ Madrid",
  );
  expect(isRepeat(" France", " Spain")).toBe(true);
  expect(isRepeat(" Paris", " Madrid")).toBe(false);
  expect(isRepeat(" France", " Madrid")).toBe(false);
});

test("a word is the same with and without a space, and in capitals", () => {
  expect(repeats("france_ has", "spain_ has")(" France", " SPAIN")).toBe(true);
});

test("within a longer word the other side has what follows the shorter one", () => {
  const isRepeat = repeats("Which_ is_ N_ether_lands_?", "Which_ is_ Spain_?");
  expect(isRepeat(" N", " Spain")).toBe(true);
  expect(isRepeat("ether", " is")).toBe(true);
});

test("words of the prompts that were not changed are answers where they differ", () => {
  expect(repeats("A_ cat_ or_ dog_ that_ barks_?", "A_ cat_ or_ dog_ that_ purrs_?")(" dog", " cat")).toBe(
    false,
  );
});
