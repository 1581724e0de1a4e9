import { describe, expect, test } from "vitest";
import { type LaidBlock, type LaidToken, layOut } from "./layout";
import { lexMarkdown } from "./lexMarkdown";
import { unstructured } from "./structure";

const tokensOf = (...texts: readonly string[]): LaidToken[] =>
  texts.map((text, index) => ({ index, text, isTemplate: false }));

const partsOf = ({ rows }: LaidBlock) => rows.flat(2);
const textOf = (block: LaidBlock): string =>
  partsOf(block)
    .flatMap(({ runs }) => runs.map(({ text }) => text))
    .join("");
const read = (tokens: readonly LaidToken[]): LaidBlock[] =>
  layOut(
    tokens,
    lexMarkdown(
      tokens
        .filter((token) => !token.isTemplate)
        .map(({ text }) => text)
        .join(""),
    ),
  );

describe("laying tokens out", () => {
  test("splits a token that ends one block and begins the next, under one index", () => {
    const blocks = read(tokensOf("So", ":\n```", "py\nx", "\n", "```"));
    expect(blocks.map((block) => [block.kind, textOf(block)])).toEqual([
      ["prose", "So:\n"],
      ["code", "```py\nx\n```"],
    ]);
    expect(blocks.map((block) => partsOf(block).map(({ index, isFirst }) => [index, isFirst]))).toEqual([
      [
        [0, true],
        [1, true],
      ],
      [
        [1, false],
        [2, true],
        [3, true],
        [4, true],
      ],
    ]);
  });

  test("styles the characters of a token one by one where a mark begins or ends inside it", () => {
    const [block] = read(tokensOf("a **", "b** c"));
    expect(block === undefined ? [] : partsOf(block).map(({ runs }) => runs)).toEqual([
      [
        { text: "a ", kinds: [] },
        { text: "**", kinds: ["strong", "marker"] },
      ],
      [
        { text: "b", kinds: ["strong"] },
        { text: "**", kinds: ["strong", "marker"] },
        { text: " c", kinds: [] },
      ],
    ]);
  });

  test("sets line breaks apart, also inside a longer token and in Source", () => {
    const [block] = layOut(tokensOf("a:\n\r\n"), unstructured("a:\n\r\n"));
    expect(block === undefined ? [] : partsOf(block)[0]?.runs).toEqual([
      { text: "a:", kinds: [] },
      { text: "\n", kinds: ["newline"] },
      { text: "\r", kinds: ["return"] },
      { text: "\n", kinds: ["newline"] },
    ]);
  });

  test("puts each cell of a table into its place", () => {
    const [table] = read(tokensOf("|a", "|b|", "\n|--|-", "-|\n| 1", " | 2 |\n"));
    expect(
      table?.rows.map((cells) =>
        cells.map((parts) => parts.flatMap(({ runs }) => runs.map(({ text }) => text)).join("")),
      ),
    ).toEqual([
      ["|a", "|b", "|\n"],
      ["|--", "|--", "|\n"],
      ["| 1 ", "| 2 ", "|\n"],
    ]);
  });

  test("marks the characters that the later lines of a list item hang by", () => {
    const [item] = read(tokensOf("  -", " one"));
    expect(item?.hang).toBe(4);
    expect(item === undefined ? [] : partsOf(item).flatMap(({ runs }) => runs)).toMatchObject([
      { text: "  ", kinds: ["lead"] },
      { text: "-", kinds: ["lead", "marker"] },
      { text: " ", kinds: ["lead"] },
      { text: "one", kinds: [] },
    ]);
  });

  test("keeps template tokens in the line that they stand in", () => {
    const template = (index: number, text: string): LaidToken => ({ index, text, isTemplate: true });
    const said: LaidToken = { index: 2, text: "# Hi", isTemplate: false };
    const sameLine = read([template(0, "User"), template(1, ":"), said, template(3, "\n")]);
    expect(sameLine.map((block) => [block.kind, textOf(block)])).toEqual([["heading", "User:# Hi\n"]]);
    const ownLine = read([template(0, "<s>"), template(1, "user\n"), said, template(3, "</s>")]);
    expect(ownLine.map((block) => [block.kind, textOf(block)])).toEqual([
      ["prose", "<s>user\n"],
      ["heading", "# Hi</s>"],
    ]);
    expect(read([template(0, "<s>")]).map(textOf)).toEqual(["<s>"]);
  });

  test("gives a token that only begins a character a place", () => {
    const blocks = read(tokensOf("a\n\n", "", "```\nb"));
    expect(blocks.map((block) => partsOf(block).map(({ index }) => index))).toEqual([[0], [0], [1, 2]]);
  });
});

test("of any text cut anywhere no character is lost, moved or changed, and each token has one first part", () => {
  const text =
    "Hi **there**\n\n1. a `b`\n   - c\n\n| x | y |\n|---|---|\n| *1* | 2\n\n```js\nif (a) {\n\n  b\n}\n```\n> q\n---\né😀 \r\n";
  for (let seed = 1; seed < 40; seed += 1) {
    const texts: string[] = [];
    for (let at = 0, state = seed; at < text.length;) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const length = state % 7;
      texts.push(text.slice(at, at + length));
      at += length;
    }
    for (const structure of [lexMarkdown(text), unstructured(text)]) {
      const parts = layOut(tokensOf(...texts), structure).flatMap(partsOf);
      const joined = texts.map((_, index) =>
        parts
          .filter((part) => part.index === index)
          .flatMap(({ runs }) => runs.map((run) => run.text))
          .join(""),
      );
      expect(joined).toEqual(texts);
      expect(parts.map(({ index }) => index)).toEqual(
        parts.map(({ index }) => index).toSorted((a, b) => a - b),
      );
      expect(parts.filter(({ isFirst }) => isFirst).map(({ index }) => index)).toEqual([...texts.keys()]);
    }
  }
});
