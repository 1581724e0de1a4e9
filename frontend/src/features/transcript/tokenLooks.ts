import type { Span } from "@/base/span";
import type { TokenNoteMark } from "@/model/notes";
import type { Token } from "@/model/timeline";
import type { RunningPiece } from "@/model/tokens";
import type { Tint } from "./tint";

/** What the tokens of a conversation look like; arrays by index. */
export interface TokenLooks {
  readonly tokens: readonly Token[];
  readonly pieces: readonly RunningPiece[];
  readonly tints: readonly (Tint | null)[] | null;
  readonly selectedIndex: number | null;
  readonly range: Span | null;
  readonly noteMarks: readonly (TokenNoteMark | undefined)[];
}

export const isIn = (range: Span | null, index: number): boolean =>
  range !== null && index >= range.start && index < range.end;

/** Whether a token looks as before. Read-outs that arrive for it change nothing here. */
export function looksSame(before: TokenLooks, after: TokenLooks, index: number): boolean {
  const [token, other] = [before.tokens[index], after.tokens[index]];
  const [piece, otherPiece] = [before.pieces[index], after.pieces[index]];
  return (
    (token === other || (token?.role === other?.role && token?.special === other?.special)) &&
    (piece === otherPiece || (piece?.text === otherPiece?.text && piece?.mark === otherPiece?.mark)) &&
    before.tints?.[index] === after.tints?.[index] &&
    before.noteMarks[index] === after.noteMarks[index] &&
    (index === before.selectedIndex) === (index === after.selectedIndex) &&
    isIn(before.range, index) === isIn(after.range, index)
  );
}
