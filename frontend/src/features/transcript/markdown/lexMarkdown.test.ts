import { describe, expect, test } from "vitest";
import { lexMarkdown } from "./lexMarkdown";

const REPLY = [
  "# Reversing",
  "Use **slicing** or `reversed`, _not_ a ~~loop~~:",
  "",
  "```python",
  "def flip(items):",
  "    return items[::-1]",
  "```",
  "",
  "- **Short**: one line",
  "  that goes on",
  "  1. nested",
  "> said before",
  "",
  "| way | cost |",
  "|-----|:----:|",
  "| `[::-1]` | O(n) |",
  "---",
  "",
].join("\n");

const texts = (text: string, spans: readonly { readonly start: number; readonly end: number }[]): string[] =>
  spans.map(({ start, end }) => text.slice(start, end));

const marked = (text: string, kind: string): string[] =>
  texts(
    text,
    lexMarkdown(text).marks.filter((mark) => mark.kind === kind),
  );

describe("lexing Markdown", () => {
  test("gives each line to a block of its kind", () => {
    const { blocks } = lexMarkdown(REPLY);
    expect(blocks.map(({ kind, start, end }) => [kind, REPLY.slice(start, end)])).toEqual([
      ["heading", "# Reversing\n"],
      ["prose", "Use **slicing** or `reversed`, _not_ a ~~loop~~:\n"],
      ["gap", "\n"],
      ["code", "```python\ndef flip(items):\n    return items[::-1]\n```\n"],
      ["gap", "\n"],
      ["item", "- **Short**: one line\n"],
      ["item", "  that goes on\n"],
      ["item", "  1. nested\n"],
      ["quote", "> said before\n"],
      ["gap", "\n"],
      ["table", "| way | cost |\n|-----|:----:|\n| `[::-1]` | O(n) |\n"],
      ["rule", "---\n"],
    ]);
    expect(blocks.map(({ level }) => level).slice(0, 2)).toEqual([1, 0]);
    expect(blocks.find(({ kind }) => kind === "code")?.language).toBe("python");
    expect(blocks.filter(({ kind }) => kind === "item").map(({ hang }) => hang)).toEqual([2, 2, 5]);
  });

  test("finds what is bold, emphasised, struck out and code, with their delimiters", () => {
    expect(marked(REPLY, "strong")).toEqual(["**slicing**", "**Short**"]);
    expect(marked(REPLY, "emphasis")).toEqual(["_not_"]);
    expect(marked(REPLY, "strike")).toEqual(["~~loop~~"]);
    expect(marked(REPLY, "code")).toEqual(["`reversed`", "`[::-1]`"]);
    expect(marked(REPLY, "marker")).toEqual(
      expect.arrayContaining(["#", "**", "`", "```python", "```", "-", "1.", ">", "|", "---"]),
    );
  });

  test("begins each cell of a table with its bar, and leaves an escaped bar inside", () => {
    const text = "| a | b |\n|--|--|\n| x\\|y | z |\n";
    const rows = lexMarkdown(text).blocks[0]?.rows ?? [];
    const cells = rows.map((starts) => starts.map((start, i) => text.slice(start, starts[i + 1])));
    expect(cells[0]?.slice(0, 2)).toEqual(["| a ", "| b "]);
    expect(cells[2]?.[0]).toBe("| x\\|y ");
  });

  test("takes a fence that is still open as code up to the end", () => {
    const text = "So:\n```py\nx = 1\n\n# no heading\n";
    expect(lexMarkdown(text).blocks.map(({ kind }) => kind)).toEqual(["prose", "code"]);
  });

  test("reads code after a list marker, and HTML and indentation as text", () => {
    expect(lexMarkdown("1. ```\n   a\n   ```\n").blocks.map(({ kind }) => kind)).toEqual(["code"]);
    expect(lexMarkdown("<b>a</b>\n\n    four blanks\n").blocks.map(({ kind }) => kind)).toEqual([
      "prose",
      "gap",
      "item",
    ]);
  });
});

/** Random text of what Markdown is made of, from a fixed seed. */
function noise(seed: number, length: number): string {
  const parts = [
    "*",
    "**",
    "_",
    "`",
    "```",
    "\n",
    "\n\n",
    "- ",
    "1. ",
    "|",
    "| a |",
    "#",
    "> ",
    "  ",
    "a",
    "é😀",
    "\\",
    "[",
    "](",
    "~~",
    "---",
    "\r\n",
    "\t",
  ];
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return parts[state % parts.length] ?? "";
  }).join("");
}

describe("whatever the text is,", () => {
  const cases = Array.from({ length: 60 }, (_, seed) => noise(seed + 1, 20 + seed * 3));

  test("the blocks follow one another without gaps, in whole lines, and cells lie in their rows", () => {
    for (const text of [...cases, "", "\n", "```", "|"]) {
      const { blocks } = lexMarkdown(text);
      expect(blocks.map(({ start, end }) => text.slice(start, end)).join("")).toBe(text);
      expect(blocks.reduce((at, { start, end }) => (start === at && end > start ? end : NaN), 0)).toBe(
        text.length,
      );
      for (const { start, end, rows } of blocks) {
        expect(start === 0 || text[start - 1] === "\n").toBe(true);
        const cells = rows.flat();
        expect(cells).toEqual(cells.toSorted((a, b) => a - b));
        expect(cells.every((cell) => cell >= start && cell < end)).toBe(true);
      }
    }
  });

  test("marks lie inside the text, in order", () => {
    for (const text of cases) {
      const { marks } = lexMarkdown(text);
      for (const { start, end } of marks) expect(0 <= start && start < end && end <= text.length).toBe(true);
      expect(marks.map(({ start }) => start)).toEqual(
        marks.map(({ start }) => start).toSorted((a, b) => a - b),
      );
    }
  });

  test("what was lexed before, as while a reply grows, changes nothing", () => {
    for (const text of cases.slice(0, 20)) {
      const whole = lexMarkdown(text);
      for (let end = 0; end <= text.length; end += 7) lexMarkdown(text.slice(0, end));
      expect(lexMarkdown(text)).toEqual(whole);
    }
  });

  test("a hostile text is cut off from the parser, and nothing of it is lost", () => {
    for (const part of ["*_", "[a](", "> ", "![](", "a**"]) {
      const text = part.repeat(50_000);
      expect(lexMarkdown(text)).toEqual({
        blocks: [expect.objectContaining({ kind: "prose", start: 0, end: text.length })],
        marks: [],
      });
    }
  });
});
