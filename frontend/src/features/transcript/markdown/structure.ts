/** The Markdown structure of a text, as ranges of its characters. Nothing is replaced and nothing is left out. */
import type { Span } from "@/base/span";

export type BlockKind = "prose" | "heading" | "item" | "quote" | "code" | "table" | "rule" | "gap";

/** Whole lines that are laid out as one. The blocks of a text follow one another without gaps. */
export interface Block extends Span {
  readonly kind: BlockKind;
  /** Of a heading, 1 to 6; otherwise 0. */
  readonly level: number;
  /** Of a code block, as its fence gives it; may be empty. */
  readonly language: string;
  /** Characters of the indentation and the list marker that a line begins with; later lines hang by as many. */
  readonly hang: number;
  /** Of a table, by row the starts of its cells, the first of which is the start of the row. */
  readonly rows: readonly (readonly number[])[];
}

export type MarkKind = "strong" | "emphasis" | "strike" | "code" | "link" | "marker";

/** Characters inside a block that look different. Marks may overlap. */
export interface Mark extends Span {
  readonly kind: MarkKind;
}

export interface Structure {
  readonly blocks: readonly Block[];
  /** In the order of their starts. */
  readonly marks: readonly Mark[];
}

export const EMPTY_STRUCTURE: Structure = { blocks: [], marks: [] };

export const plainBlock = (kind: BlockKind, start: number, end: number): Block => ({
  kind,
  start,
  end,
  level: 0,
  language: "",
  hang: 0,
  rows: [],
});

/** The text as one block without marks. */
export const unstructured = (text: string): Structure =>
  text === "" ? EMPTY_STRUCTURE : { blocks: [plainBlock("prose", 0, text.length)], marks: [] };
