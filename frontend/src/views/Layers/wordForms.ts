/**
 * Tokens as words in a text of which each word may be another than the one that stands there. Blanks
 * before a word stay blanks, everything else that cannot be seen gets its sign, and half a character
 * is shown by its bytes unless the real tokens before it complete it.
 */
import { bytesFromBase64, decodeSteps, joinBytes, withByteNames } from "@/model/bytes";
import {
  type CellPart,
  type ShownToken,
  cellPartsOfText,
  losslessTextOf,
  runningPieces,
} from "@/model/tokens";

export interface WordForm {
  /** Blanks that stand before the word. */
  readonly lead: string;
  /** Never empty. */
  readonly body: string;
}

interface IdentifiedToken extends ShownToken {
  readonly id: number;
}

/** The cell form as a word: spaces before it are spaces again. A token of spaces only keeps its signs. */
export function wordForm(parts: readonly CellPart[]): WordForm {
  const [first, ...rest] = parts;
  const body = rest.map((part) => part.text).join("");
  if (first?.kind === "glyph" && body !== "" && /^·+$/.test(first.text)) {
    return { lead: " ".repeat(first.text.length), body };
  }
  return { lead: "", body: (first?.text ?? "") + body };
}

/**
 * For each token the first one that holds a byte of the characters that it completes: itself, where
 * no character is spread over several tokens.
 */
export function characterStarts(tokens: readonly Pick<ShownToken, "bytes">[]): number[] {
  const parts = tokens.map((token) => bytesFromBase64(token.bytes));
  const steps = decodeSteps(joinBytes(parts));
  /** Where each token begins, in bytes. */
  const offsets: number[] = [];
  let next = 0;
  let end = 0;
  return parts.map((bytes, index) => {
    offsets.push(end);
    end += bytes.length;
    let start = index;
    for (let step = steps[next]; step !== undefined && step.end <= end; step = steps[next]) {
      while (start > 0 && step.character !== null && step.start < (offsets[start] ?? 0)) start -= 1;
      next += 1;
    }
    return start;
  });
}

/** The words of one timeline, each form made when it is first wanted. */
export class WordForms {
  private readonly tokens: readonly IdentifiedToken[];
  private readonly starts: readonly number[];
  private readonly joined: readonly string[];
  private readonly forms = new Map<number, WordForm>();

  constructor(tokens: readonly IdentifiedToken[]) {
    this.tokens = tokens;
    this.starts = characterStarts(tokens);
    this.joined = runningPieces(tokens).map((piece) => withByteNames(piece.text));
  }

  /** The token that stands at `index`, for itself. */
  actual(index: number): WordForm {
    const token = this.tokens[index];
    return token === undefined ? EMPTY : this.predicted(token.id, losslessTextOf(token));
  }

  /** The same in its place: a character that it completes is whole where `isThere` holds for the tokens before. */
  inPlace(index: number, isThere: (index: number) => boolean): WordForm {
    const start = this.starts[index] ?? index;
    for (let before = start; before < index; before += 1) if (!isThere(before)) return this.actual(index);
    return start === index ? this.actual(index) : { lead: "", body: this.joined[index] ?? "" };
  }

  /** A predicted token, by its id and its lossless text. */
  predicted(id: number, text: string): WordForm {
    const made = this.forms.get(id);
    if (made !== undefined) return made;
    const form = wordForm(cellPartsOfText(text));
    this.forms.set(id, form);
    return form;
  }

  /** Whether a line ends with the token. */
  endsLine(index: number): boolean {
    return (this.joined[index] ?? "").includes("\n");
  }
}

const EMPTY: WordForm = { lead: "", body: "∅" };
