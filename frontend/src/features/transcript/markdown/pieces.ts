/** Cuts a text into pieces that can be lexed one by one, so that text that grows has only its last piece lexed again. */
import type { Span } from "@/base/span";

export interface Piece extends Span {
  /** `code` with its fences, `gap` for blank lines, `text` for everything else. */
  readonly kind: "text" | "code" | "gap";
}

/** A list is cut between two items once it is this long. */
const LONG_LIST_CHARACTERS = 1500;

const FENCE = /^\s*(?:(?:[-*+]|\d{1,9}[.)])\s+)?(`{3,}(?=[^`]*$)|~{3,})/;
const ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])\s/;

/** The pieces of a text, without gaps. An open fence at the end is a code piece as well. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  const open: { kind: Piece["kind"]; start: number } = { kind: "text", start: 0 };
  let fence: string | null = null;
  const cut = (at: number, next: Piece["kind"]): void => {
    if (open.start < at) pieces.push({ ...open, end: at });
    open.kind = next;
    open.start = at;
  };
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline === -1 ? text.length : newline + 1;
    const line = text.slice(start, end).trimEnd();
    if (fence !== null) {
      if (closes(line, fence)) {
        cut(end, "text");
        fence = null;
      }
    } else {
      fence = FENCE.exec(line)?.[1] ?? null;
      const next = fence !== null ? "code" : line.trim() === "" ? "gap" : "text";
      const isLongList = start - open.start > LONG_LIST_CHARACTERS && ITEM.test(line);
      if (next !== open.kind || next === "code" || isLongList) cut(start, next);
    }
    start = end;
  }
  cut(text.length, "text");
  return pieces;
}

function closes(line: string, fence: string): boolean {
  const mark = line.trimStart();
  return mark.length >= fence.length && mark === (fence[0] ?? "").repeat(mark.length);
}
