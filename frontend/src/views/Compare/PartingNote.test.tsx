import { render } from "@testing-library/react";
import { describe, expect, test } from "vitest";
import type { FirstChoices } from "@/lib/pairColumns";
import type { Rows } from "./choices";
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

describe("one sentence says", () => {
  test("from which layer on the two part, and what each predicts at the end", () => {
    expect(sentence("each", choices("aa", "ab", "aa", "ab", "ac"))).toBe(
      "From layer 3 on the two predict different tokens; at the output A predicts “a”, B “c”.",
    );
    expect(sentence("each", choices("aa", "aa", "ab"))).toMatch(/^Only at the output the two predict/);
    expect(sentence("each", choices("ab", "ab", "ab"))).toMatch(/^At every layer the two predict/);
  });
  test("the same of where they agree", () => {
    expect(sentence("each", choices("ab", "ab", "aa"))).toBe(
      "Only at the output the two have the same first choice; at the output both predict “a”.",
    );
  });
  test("whose layer is fixed", () => {
    expect(sentence("fixed", choices("aa", "ab", "ab"), 0)).toBe(
      "From layer 1 on A and the embedding of B predict different tokens; at the output of A, A predicts “a”, B “b”.",
    );
  });
  test("what two single layers predict", () => {
    expect(sentence("one", choices("ab"), 7)).toBe(
      "With the embedding of A beside layer 7 of B, A predicts “a”, B “b”.",
    );
  });
  test("nothing before the end is read", () => {
    expect(sentence("each", [...choices("aa", "aa"), null])).toBe("Not read yet.");
  });
});
