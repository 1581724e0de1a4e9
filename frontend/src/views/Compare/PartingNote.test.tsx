import { render } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import type { Rows } from "./choices";
import type { FirstChoices } from "./pairColumns";
import { PartingNote } from "./PartingNote";

/** First choices of each row, the embedding first: `ab` differ, `aa` agree. */
const choices = (...rows: readonly string[]): FirstChoices[] =>
  rows.map(([a = "", b = ""]) => ({
    aId: a.charCodeAt(0),
    bId: b.charCodeAt(0),
    aProbability: 0.5,
    bProbability: 0.5,
  }));

function sentence(rows: Rows, read: readonly (FirstChoices | null)[], layerB?: number): string | null {
  const { container, unmount } = render(
    <PartingNote
      rows={rows}
      layers={read.map((_, layer) => [layer, layerB ?? layer])}
      choices={read}
      plainText={(id) => String.fromCharCode(id)}
    />,
  );
  const { textContent } = container;
  unmount();
  return textContent;
}

/** Rows that agree (`=`) and differ (`x`), the embedding first. */
const pattern = (text: string): FirstChoices[] =>
  choices(...Array.from(text, (each) => (each === "=" ? "aa" : "ab")));

/** The layers that a sentence claims, of `n` rows with the output last: what a reader takes from it. */
function claimed(text: string, n: number): number[] {
  const [claim = ""] = text.split("; ");
  const layers = new Set<number>();
  if (claim.startsWith("At every layer ")) for (let layer = 0; layer < n; layer += 1) layers.add(layer);
  if (/^(Only at|At) the output/.test(claim)) layers.add(n - 1);
  const from = /^From (the embedding|layer (\d+)) up to the output/.exec(claim);
  if (from !== null) for (let layer = Number(from[2] ?? 0); layer < n; layer += 1) layers.add(layer);
  const [, also = ""] = /, and before that at (.*?), (?:the two|A and)/.exec(claim) ?? [];
  if (also.includes("the embedding")) layers.add(0);
  for (const [, first, last] of also.matchAll(/(\d+)(?:–(\d+))?/g)) {
    for (let layer = Number(first); layer <= Number(last ?? first); layer += 1) layers.add(layer);
  }
  return [...layers].toSorted((one, other) => one - other);
}

describe("one sentence says", () => {
  test.each([
    ["===", "At every layer the two have the same first choice; at the output both predict “a”."],
    ["xxx", "At every layer the two predict different tokens; at the output A predicts “a”, B “b”."],
    ["xx=", "Only at the output the two have the same first choice; both predict “a”."],
    ["==x", "Only at the output the two predict different tokens; A predicts “a”, B “b”."],
    [
      "xx==",
      "From layer 2 up to the output the two have the same first choice; at the output both predict “a”.",
    ],
    [
      "xxx======x=x=",
      "At the output, and before that at layers 3–8 and 10, the two have the same first choice; at the output both predict “a”.",
    ],
    [
      "==x==",
      "From layer 3 up to the output, and before that at the embedding and layer 1, the two have the same first choice; at the output both predict “a”.",
    ],
    [
      "x==x=xx",
      "From layer 5 up to the output, and before that at the embedding and layer 3, the two predict different tokens; at the output A predicts “a”, B “b”.",
    ],
    [
      "x=x=x=x",
      "At the output, and before that at the embedding and layers 2 and 4, the two predict different tokens; at the output A predicts “a”, B “b”.",
    ],
    [
      "=xx=x=x=",
      "At the output, and before that at the embedding and layers 3 and 5, the two have the same first choice; at the output both predict “a”.",
    ],
    [
      "x==xx=xx=",
      "At the output, and before that at layers 1–2 and 5, the two have the same first choice; at the output both predict “a”.",
    ],
  ])("of %s exactly what is so", (rows, text) => {
    expect(sentence("each", pattern(rows))).toBe(text);
  });
  test("of every pattern of nine layers the ones at which it is so, and no other", () => {
    for (let bits = 0; bits < 2 ** 9; bits += 1) {
      const rows = bits.toString(2).padStart(9, "0").replaceAll("1", "=").replaceAll("0", "x");
      const text = sentence("each", pattern(rows)) ?? "";
      const kind = rows.at(-1);
      expect(text).toContain(kind === "=" ? "have the same first choice" : "predict different tokens");
      const expected = Array.from(rows).flatMap((each, layer) => (each === kind ? [layer] : []));
      expect([rows, ...claimed(text, 9)]).toEqual([rows, ...expected]);
    }
  });
  test("what each predicts at the output, of all that it predicts on the way", () => {
    expect(sentence("each", choices("aa", "ab", "aa", "ab", "ac"))).toMatch(
      /^From layer 3 up to the output, .* A predicts “a”, B “c”\.$/,
    );
  });
  test("whose layer is fixed", () => {
    expect(sentence("fixed", choices("aa", "ab", "ab"), 0)).toBe(
      "From layer 1 up to the output A and the embedding of B predict different tokens; at the output of A, A predicts “a”, B “b”.",
    );
    expect(sentence("fixed", choices("ab", "aa", "ab"), 0)).toBe(
      "At the output, and before that at the embedding, A and the embedding of B predict different tokens; at the output of A, A predicts “a”, B “b”.",
    );
    expect(sentence("fixed", choices("aa", "aa", "ab"), 0)).toBe(
      "Only at the output A and the embedding of B predict different tokens; A predicts “a”, B “b”.",
    );
  });
  test("what two single layers predict", () => {
    expect(sentence("one", choices("ab"), 7)).toBe(
      "With the embedding of A beside layer 7 of B, A predicts “a”, B “b”.",
    );
  });
  test("nothing before every layer is read", () => {
    expect(sentence("each", [...choices("aa", "aa"), null])).toBe("Not read yet.");
  });
});
