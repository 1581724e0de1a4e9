/** Lays tokens out by the structure of their text: which token stands in which block, split where a border cuts it. */
import { type Block, type Mark, type MarkKind, type Structure, plainBlock } from "./structure";

/** What a token adds to the text. */
export interface LaidToken {
  readonly index: number;
  readonly text: string;
  /** No part of the text that was lexed. */
  readonly isTemplate: boolean;
}

export type RunKind = MarkKind | "lead" | "newline" | "return";

/** Characters of a token that look alike. */
export interface Run {
  readonly text: string;
  readonly kinds: readonly RunKind[];
}

/** A token, or what stands of it on one side of a border. */
export interface Part {
  readonly index: number;
  /** The part that stands for the token; any other is the rest of one that a border cuts. */
  readonly isFirst: boolean;
  readonly runs: readonly Run[];
}

export interface LaidBlock {
  readonly kind: Block["kind"];
  readonly level: number;
  readonly language: string;
  readonly hang: number;
  /** Of a table by row and cell, otherwise one row with one cell. */
  readonly rows: readonly (readonly (readonly Part[])[])[];
}

interface OpenBlock {
  readonly block: Block;
  readonly rows: Part[][][];
}

export function layOut(tokens: readonly LaidToken[], { blocks, marks }: Structure): LaidBlock[] {
  const laid: OpenBlock[] = [];
  let ahead: LaidToken[] = [];
  let number = 0;
  let offset = 0;
  const markCursor = cursorOver(marks);
  const partsAt = (at: number): Part[] => {
    while ((blocks[number]?.end ?? Number.POSITIVE_INFINITY) <= at && number < blocks.length - 1) number += 1;
    const block = blocks[number];
    if (block === undefined) return cellOf(laid.at(-1) ?? open(laid, plainBlock("prose", 0, 0)), 0);
    const current = laid.at(-1);
    return cellOf(current?.block === block ? current : open(laid, block), at);
  };
  /** Template tokens before the text stand in its first line, unless they end with a line break. */
  const placeAhead = (): void => {
    if (ahead.length === 0) return;
    const hasOwnLine = ahead.at(-1)?.text.endsWith("\n") === true;
    const parts = hasOwnLine ? cellOf(open(laid, plainBlock("prose", 0, 0)), 0) : partsAt(offset);
    for (const token of ahead) parts.push(wholePart(token));
    ahead = [];
  };
  for (const token of tokens) {
    if (token.isTemplate) {
      const current = laid.at(-1);
      if (current === undefined) ahead.push(token);
      else lastCell(current).push(wholePart(token));
      continue;
    }
    placeAhead();
    if (token.text === "") {
      partsAt(offset).push({ index: token.index, isFirst: true, runs: [] });
      continue;
    }
    const end = offset + token.text.length;
    let isFirst = true;
    for (let at = offset; at < end;) {
      const parts = partsAt(at);
      const border = Math.min(end, nextBorder(blocks[number], at));
      const text = token.text.slice(at - offset, border - offset);
      parts.push({
        index: token.index,
        isFirst,
        runs: runsOf(text, at, blocks[number], markCursor(at, border)),
      });
      isFirst = false;
      at = border;
    }
    offset = end;
  }
  placeAhead();
  return laid.map(({ block: { kind, level, language, hang }, rows }) => ({
    kind,
    level,
    language,
    hang,
    rows,
  }));
}

function open(laid: OpenBlock[], block: Block): OpenBlock {
  const opened: OpenBlock = {
    block,
    rows: block.rows.length === 0 ? [[[]]] : block.rows.map((cells) => cells.map(() => [])),
  };
  laid.push(opened);
  return opened;
}

const lastCell = ({ rows }: OpenBlock): Part[] => rows.at(-1)?.at(-1) ?? [];

function cellOf({ block, rows }: OpenBlock, at: number): Part[] {
  const row = Math.max(
    0,
    block.rows.findLastIndex((cells) => (cells[0] ?? 0) <= at),
  );
  const cell = Math.max(0, block.rows[row]?.findLastIndex((start) => start <= at) ?? 0);
  return rows[row]?.[cell] ?? [];
}

/** Where the block, or the cell of a table, ends that holds the character at `at`. */
function nextBorder(block: Block | undefined, at: number): number {
  if (block === undefined) return Number.POSITIVE_INFINITY;
  for (const cells of block.rows) for (const start of cells) if (start > at) return start;
  return block.end > at ? block.end : Number.POSITIVE_INFINITY;
}

function runsOf(text: string, start: number, block: Block | undefined, marks: readonly Mark[]): Run[] {
  const lead = block === undefined ? 0 : block.start + block.hang;
  const borders = new Set([0, text.length]);
  const border = (at: number): void => {
    if (at > start && at < start + text.length) borders.add(at - start);
  };
  border(lead);
  for (const mark of marks) {
    border(mark.start);
    border(mark.end);
  }
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== "\n" && text[at] !== "\r") continue;
    borders.add(at);
    borders.add(at + 1);
  }
  const cuts = [...borders].sort((a, b) => a - b);
  return cuts.slice(0, -1).map((from, number) => {
    const own = text.slice(from, cuts[number + 1]);
    const at = start + from;
    const kinds: RunKind[] = own === "\n" ? ["newline"] : own === "\r" ? ["return"] : [];
    if (at < lead && kinds.length === 0) kinds.push("lead");
    for (const mark of marks) if (mark.start <= at && at < mark.end) kinds.push(mark.kind);
    return { text: own, kinds: [...new Set(kinds)] };
  });
}

const wholePart = ({ index, text }: LaidToken): Part => ({
  index,
  isFirst: true,
  runs: runsOf(text, 0, undefined, []),
});

/** Gives the marks that touch a range, for ranges that are asked for in order. */
function cursorOver(marks: readonly Mark[]): (start: number, end: number) => Mark[] {
  let next = 0;
  let open: Mark[] = [];
  return (start, end) => {
    open = open.filter((mark) => mark.end > start);
    for (let mark = marks[next]; mark !== undefined && mark.start < end; mark = marks[next]) {
      if (mark.end > start) open.push(mark);
      next += 1;
    }
    return open.filter((mark) => mark.start < end);
  };
}

/** Whether two parts are drawn alike. */
export function isSamePart(a: Part | undefined, b: Part | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  if (a === b) return true;
  if (a.index !== b.index || a.isFirst !== b.isFirst || a.runs.length !== b.runs.length) return false;
  return a.runs.every((run, number) => {
    const other = b.runs[number];
    return run.text === other?.text && run.kinds.join() === other.kinds.join();
  });
}
