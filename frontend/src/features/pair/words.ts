/** A text as words and what stands between them, so that one word can be replaced. */

export interface Piece {
  readonly text: string;
  readonly isWord: boolean;
}

/** The pieces joined are the text. Numbers count as words; signs and blanks do not. */
export function piecesOf(text: string): Piece[] {
  return Array.from(
    new Intl.Segmenter(undefined, { granularity: "word" }).segment(text),
    ({ segment, isWordLike }) => ({ text: segment, isWord: isWordLike === true }),
  );
}

/** The text with another one in the place of a piece. */
export const withPiece = (pieces: readonly Piece[], at: number, text: string): string =>
  pieces.map((piece, i) => (i === at ? text : piece.text)).join("");
