import { describe, expect, test } from "vitest";
import { LensColumns } from "@/reading/columns";
import { madeUpLens, madeUpTokens, N_LAYERS } from "@/test/lensData";
import { agreementOf, agreementText, countWords, layerSentence, layerWord } from "./layerWords";

const tokens = madeUpTokens(30);
const lens = madeUpLens(tokens, { top_k: 5 });
const columns = new LensColumns();
columns.mergeResponse(lens);
const topId = (index: number, layer: number) => lens.top_ids[layer]?.[index - 1]?.[0];

describe("a word of a layer", () => {
  test("is the first choice at the position before it, told by what it equals", () => {
    const seen = new Set<string>();
    for (let layer = 0; layer <= N_LAYERS; layer += 1) {
      for (let index = 1; index < tokens.length; index += 1) {
        const word = layerWord(columns, tokens, index, layer);
        const expected =
          topId(index, layer) === tokens[index]?.id
            ? "actual"
            : topId(index, layer) === topId(index, N_LAYERS)
              ? "output"
              : "other";
        seen.add(word.kind);
        expect(word).toMatchObject({ index, kind: expected, tokenId: topId(index, layer) });
        expect(word.probability).toBeCloseTo(lens.top_probabilities[layer]?.[index - 1]?.[0] ?? -1, 6);
        expect(word.hasChanged).toBe(layer > 0 && topId(index, layer) !== topId(index, layer - 1));
      }
    }
    expect(seen).toEqual(new Set(["actual", "output", "other"]));
  });

  test("is the token itself at the start, and nothing where nothing is read", () => {
    expect(layerWord(columns, tokens, 0, 4)).toMatchObject({
      kind: "first",
      tokenId: tokens[0]?.id,
      hasChanged: false,
    });
    expect(layerWord(new LensColumns(), tokens, 3, 4)).toMatchObject({ kind: "unread", tokenId: -1 });
  });
});

test("counts and agreement are those of the words shown", () => {
  const indices = tokens.map((token) => token.index).slice(9);
  const agreement = agreementOf(columns, tokens, indices);
  expect(agreement.nRead).toBe(21);
  for (let layer = 0; layer <= N_LAYERS; layer += 1) {
    const counts = countWords(indices.map((index) => layerWord(columns, tokens, index, layer)));
    expect(counts.nActual).toBe(agreement.nActual.get(layer));
    expect(counts.nActual).toBe(indices.filter((index) => topId(index, layer) === tokens[index]?.id).length);
    expect(counts.nActual + counts.nOutput + counts.nOther).toBe(counts.nRead);
  }
});

test("the first token is not counted, what is not read is counted apart", () => {
  const partly = new LensColumns();
  partly.mergeResponse(madeUpLens(tokens, { top_k: 5, positions: [0, 4] }));
  const words = [0, 1, 2, 3, 4, 5, 6].map((index) => layerWord(partly, tokens, index, 12));
  expect(countWords(words)).toMatchObject({ nPredicted: 6, nRead: 4 });
  expect(agreementOf(partly, tokens, [0, 1, 2, 3, 4, 5, 6]).nRead).toBe(4);
});

describe("the sentence", () => {
  const counts = { nPredicted: 34, nRead: 34, nActual: 12, nOutput: 2, nOther: 20, nChanged: 7 };

  test("says how many words are those of the text, and how many this layer changed", () => {
    expect(layerSentence(counts, 5, 12)).toBe(
      "At layer 5, top-1 matches the actual token at 12 of 34 positions; 7 changed since layer 4.",
    );
    expect(layerSentence({ ...counts, nChanged: 0 }, 12, 12)).toBe(
      "At layer 12, the model’s own output, top-1 matches the actual token at 12 of 34 positions; none changed since layer 11.",
    );
    expect(layerSentence(counts, 1, 12)).toContain("7 changed since layer 0 (embedding).");
    expect(layerSentence(counts, 0, 12)).toBe(
      "At layer 0 (embedding), top-1 matches the actual token at 12 of 34 positions.",
    );
  });

  test("says what is not read, and what there is not", () => {
    expect(layerSentence({ ...counts, nRead: 20 }, 5, 12)).toContain(
      "top-1 matches the actual token at 12 of the 20 positions read so far",
    );
    expect(layerSentence({ ...counts, nRead: 0 }, 5, 12)).toBe("At layer 5, no position is read yet.");
    expect(layerSentence({ ...counts, nPredicted: 0, nRead: 0 }, 5, 12)).toBe(
      "At layer 5, no token here is predicted.",
    );
    expect(agreementText(1, 1)).toBe("top-1 matches the actual token at 1 of 1 position");
  });
});
