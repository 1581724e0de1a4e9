/** Markdown to ranges of characters, by the parser of CodeMirror. Fetched when a conversation is first shown. */
import { Strikethrough, Table, parser } from "@lezer/markdown";
import { type Piece, piecesOf } from "./pieces";
import { type Block, type Mark, type MarkKind, type Structure, plainBlock } from "./structure";

/**
 * Without what a language model hardly writes and a reader would not expect: indentation alone makes no
 * code, a line of dashes no heading of the line above it, and HTML is text.
 */
const markdown = parser.configure([
  Table,
  Strikethrough,
  { remove: ["IndentedCode", "SetextHeading", "HTMLBlock", "HTMLTag", "LinkReference", "Entity"] },
]);

/**
 * The parser takes time with the square of the delimiters in a paragraph: 2 s for 20,000. A piece beyond
 * these bounds, which no reply has in earnest, is shown as plain text.
 */
const MAX_PIECE_CHARACTERS = 8000;
const MAX_DELIMITERS = 600;

const MARKS: Readonly<Record<string, MarkKind>> = {
  StrongEmphasis: "strong",
  Emphasis: "emphasis",
  Strikethrough: "strike",
  InlineCode: "code",
  Link: "link",
  EmphasisMark: "marker",
  StrikethroughMark: "marker",
  CodeMark: "marker",
  HeaderMark: "marker",
  ListMark: "marker",
  QuoteMark: "marker",
  LinkMark: "marker",
  URL: "marker",
  TableDelimiter: "marker",
  HorizontalRule: "marker",
};

const BLOCKS: Readonly<Record<string, Block["kind"]>> = {
  Blockquote: "quote",
  BulletList: "item",
  OrderedList: "item",
  HorizontalRule: "rule",
  Table: "table",
  ATXHeading1: "heading",
  ATXHeading2: "heading",
  ATXHeading3: "heading",
  ATXHeading4: "heading",
  ATXHeading5: "heading",
  ATXHeading6: "heading",
};

const LEAD = /^\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)?/;

/** The structure of pieces that were lexed before, by their text; the oldest is dropped first. */
const known = new Map<string, Structure>();
const MOST_KNOWN = 500;

/** The structure of a text, which may end anywhere. Takes time in proportion to its length, whatever it holds. */
export function lexMarkdown(text: string): Structure {
  const blocks: Block[] = [];
  const marks: Mark[] = [];
  const pieces = piecesOf(text);
  for (const [number, piece] of pieces.entries()) {
    const { start } = piece;
    const own = structureOf(text.slice(start, piece.end), piece.kind, number < pieces.length - 1);
    for (const block of own.blocks) blocks.push(shiftedBlock(block, start));
    for (const mark of own.marks) marks.push({ ...mark, start: mark.start + start, end: mark.end + start });
  }
  return { blocks, marks };
}

function structureOf(text: string, kind: Piece["kind"], isKept: boolean): Structure {
  const held = known.get(text);
  if (held !== undefined) return held;
  const structure = kind === "code" ? codeStructure(text) : kind === "gap" ? gap(text) : lexPiece(text);
  if (isKept) {
    known.set(text, structure);
    const oldest = known.keys().next().value;
    if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest);
  }
  return structure;
}

const shiftedBlock = (block: Block, by: number): Block => ({
  ...block,
  start: block.start + by,
  end: block.end + by,
  rows: block.rows.map((cells) => cells.map((cell) => cell + by)),
});

const gap = (text: string): Structure => ({ blocks: [plainBlock("gap", 0, text.length)], marks: [] });

function codeStructure(text: string): Structure {
  const firstLine = text.split("\n", 1)[0] ?? "";
  const language = /[`~]{3,}\s*([^\s`~]*)/.exec(firstLine)?.[1] ?? "";
  const block: Block = { ...plainBlock("code", 0, text.length), language };
  const marks: Mark[] = [{ kind: "marker", start: 0, end: firstLine.length }];
  const body = text.trimEnd();
  const lastLine = body.lastIndexOf("\n") + 1;
  if (lastLine > 0 && /^\s*(`{3,}|~{3,})$/.test(body.slice(lastLine))) {
    marks.push({ kind: "marker", start: lastLine, end: body.length });
  }
  return { blocks: [block], marks };
}

function lexPiece(text: string): Structure {
  if (text.length > MAX_PIECE_CHARACTERS || delimitersIn(text) > MAX_DELIMITERS) {
    return { blocks: [plainBlock("prose", 0, text.length)], marks: [] };
  }
  const marks: Mark[] = [];
  /** The kind of each line that is not prose, by its start. */
  const kinds = new Map<number, { readonly kind: Block["kind"]; readonly level: number }>();
  markdown.parse(text).iterate({
    enter: ({ name, from, to, node }) => {
      const mark = MARKS[name];
      if (mark !== undefined && from < to) marks.push({ kind: mark, start: from, end: to });
      const kind = BLOCKS[name];
      if (kind === undefined || node.parent?.name !== "Document") return;
      const level = kind === "heading" ? Number(name.at(-1)) : 0;
      for (const line of linesOf(text, text.lastIndexOf("\n", from - 1) + 1, to)) {
        kinds.set(line.start, { kind, level });
      }
    },
  });
  const blocks: Block[] = [];
  for (const line of linesOf(text, 0, text.length)) {
    const content = text.slice(line.start, line.end);
    const { kind, level } = kinds.get(line.start) ?? {
      // An indented line goes on with what hangs above it; one blank is the first token of a reply.
      kind: /^\s{2}/.test(content) ? ("item" as const) : ("prose" as const),
      level: 0,
    };
    const hang = kind === "item" ? (LEAD.exec(content)?.[0].length ?? 0) : 0;
    const before = blocks.at(-1);
    if (before?.kind === kind && (kind === "prose" || kind === "quote" || kind === "table")) {
      blocks[blocks.length - 1] = { ...before, end: line.end };
    } else blocks.push({ ...plainBlock(kind, line.start, line.end), level, hang });
  }
  return {
    blocks: blocks.map((block) => (block.kind === "table" ? withRows(block, text) : block)),
    marks: marks.sort((a, b) => a.start - b.start),
  };
}

function delimitersIn(text: string): number {
  return text.match(/[*_~[\]!<>`\\]/g)?.length ?? 0;
}

function linesOf(text: string, from: number, to: number): { readonly start: number; readonly end: number }[] {
  const lines = [];
  for (let start = from; start < to;) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline + 1;
    lines.push({ start, end });
    start = end;
  }
  return lines;
}

/** A cell begins with its bar. */
function withRows(block: Block, text: string): Block {
  const rows = linesOf(text, block.start, block.end).map(({ start, end }) => {
    const cells = [start];
    for (let at = start; at < end; at += 1) {
      if (text[at] === "\\") at += 1;
      else if (text[at] === "|" && at > start && text.slice(start, at).trim() !== "") cells.push(at);
    }
    return cells;
  });
  return { ...block, rows };
}
