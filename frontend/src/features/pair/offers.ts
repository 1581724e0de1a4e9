/** Words that can take the place of one in a message, so that a first pair of prompts needs no typing. */
import { piecesOf, withPiece } from "./words";

/** Words of a kind: one for another leaves a sentence that says as much. */
const KINDS: readonly (readonly string[])[] = [
  [
    ..."France Spain Italy Germany Japan China Russia India Egypt Brazil Canada Mexico Kenya Poland".split(
      " ",
    ),
    ..."Greece Portugal Sweden Norway Turkey Australia England Ireland Cuba Peru Togo".split(" "),
  ],
  "hot cold big small fast slow old young good bad high low hard soft long short".split(" "),
  "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(" "),
  "red blue green yellow black white".split(" "),
  "Mary John Tom Anna Alice Bob Lily Ben".split(" "),
  "cat dog horse bird".split(" "),
  "ask walk play look help".split(" "),
];
const N_OFFERED = 3;

export interface Offer {
  readonly word: string;
  /** The whole text with it. */
  readonly text: string;
}

/** In the place of the last word of a known kind, none that the text has already; empty where there is none. */
export function offersFor(text: string): readonly Offer[] {
  const pieces = piecesOf(text);
  const has = new Set(pieces.map((piece) => piece.text));
  const kindOf = (word: string) => KINDS.find((kind) => kind.includes(word));
  const at = pieces.findLastIndex((piece) => kindOf(piece.text) !== undefined);
  const kind = kindOf(pieces[at]?.text ?? "") ?? [];
  return kind
    .filter((word) => !has.has(word))
    .slice(0, N_OFFERED)
    .map((word) => ({ word, text: withPiece(pieces, at, word) }));
}
