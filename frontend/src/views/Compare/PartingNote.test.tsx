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

function sentence(
  rows: Rows,
  read: readonly (FirstChoices | null)[],
  layerB?: number,
  atB = 15,
): string | null {
  const { container, unmount } = render(
    <PartingNote
      pair={{ a: 15, b: atB }}
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
  const [, claim = ""] = text.split("; ");
  const layers = new Set<number>();
  if (claim.includes(" at every layer")) for (let layer = 0; layer < n; layer += 1) layers.add(layer);
  if (/ (only )?at the output/.test(claim)) layers.add(n - 1);
  const from = / from (layer 0 \(embedding\)|layer (\d+)) on/.exec(claim);
  if (from !== null) for (let layer = Number(from[2] ?? 0); layer < n; layer += 1) layers.add(layer);
  const [, also = ""] = /, and at (.*)\.$/.exec(claim) ?? [];
  if (also.includes("layer 0 (embedding)")) layers.add(0);
  for (const [, first, last] of also.matchAll(/(\d+)(?:–(\d+))?/g)) {
    for (let layer = Number(first); layer <= Number(last ?? first); layer += 1) layers.add(layer);
  }
  return [...layers].toSorted((one, other) => one - other);
}

describe("one sentence says", () => {
  test.each([
    ["===", "At index 16 both predict “a”; they agree at every layer."],
    ["xxx", "At index 16 A predicts “a”, B “b”; they differ at every layer."],
    ["xx=", "At index 16 both predict “a”; they agree only at the output."],
    ["==x", "At index 16 A predicts “a”, B “b”; they differ only at the output."],
    ["xx==", "At index 16 both predict “a”; they agree from layer 2 on."],
    ["==xx", "At index 16 A predicts “a”, B “b”; they differ from layer 2 on."],
    ["xxx======x=x=", "At index 16 both predict “a”; they agree at the output, and at layers 3–8 and 10."],
    [
      "==x==",
      "At index 16 both predict “a”; they agree from layer 3 on, and at layer 0 (embedding) and layer 1.",
    ],
    [
      "x==x=xx",
      "At index 16 A predicts “a”, B “b”; they differ from layer 5 on, and at layer 0 (embedding) and layer 3.",
    ],
    [
      "x=x=x=x",
      "At index 16 A predicts “a”, B “b”; they differ at the output, and at layer 0 (embedding) and layers 2 and 4.",
    ],
  ])("of %s exactly what is so", (rows, text) => {
    expect(sentence("each", pattern(rows))).toBe(text);
  });
  test("of every pattern of nine layers the ones at which it is so, and no other", () => {
    for (let bits = 0; bits < 2 ** 9; bits += 1) {
      const rows = bits.toString(2).padStart(9, "0").replaceAll("1", "=").replaceAll("0", "x");
      const text = sentence("each", pattern(rows)) ?? "";
      const kind = rows.at(-1);
      expect(text).toContain(kind === "=" ? "they agree " : "they differ ");
      const expected = Array.from(rows).flatMap((each, layer) => (each === kind ? [layer] : []));
      expect([rows, ...claimed(text, 9)]).toEqual([rows, ...expected]);
    }
  });
  test("what each predicts at the output, of all that it predicts on the way", () => {
    expect(sentence("each", choices("aa", "ab", "aa", "ab", "ac"))).toBe(
      "At index 16 A predicts “a”, B “c”; they differ from layer 3 on, and at layer 1.",
    );
  });
  test("both indices where the two are aligned otherwise", () => {
    expect(sentence("each", choices("ab"), undefined, 17)).toMatch(
      /^At index 16 of A and 18 of B A predicts/,
    );
  });
  test("whose layer is fixed", () => {
    expect(sentence("fixed", choices("aa", "ab", "ab"), 0)).toBe(
      "At index 16 the output of A predicts “a”, layer 0 (embedding) of B “b”; they differ from layer 1 on.",
    );
    expect(sentence("fixed", choices("ab", "aa", "aa"), 7)).toBe(
      "At index 16 the output of A and layer 7 of B both predict “a”; they agree from layer 1 on.",
    );
  });
  test("what two single layers predict", () => {
    expect(sentence("one", choices("ab"), 7)).toBe(
      "At index 16 layer 0 (embedding) of A predicts “a”, layer 7 of B “b”.",
    );
    expect(sentence("one", choices("aa"), 7)).toBe(
      "At index 16 layer 0 (embedding) of A and layer 7 of B both predict “a”.",
    );
  });
  test("nothing before every layer is read", () => {
    expect(sentence("each", [...choices("aa", "aa"), null])).toBe("Not read yet.");
  });
});
