/**
 * How tokens are shown. Two forms: the *cell* form makes every character visible, so that no two
 * different tokens look alike; the *running* form is the exact text, split so that each token keeps
 * a place of its own, even where a character is spread over several tokens.
 */
import {
  bytesFromBase64,
  bytesOfLossless,
  decodeSteps,
  escapeBytes,
  escapedByte,
  hexBytes,
  joinBytes,
  losslessText,
} from "./bytes";

/** What is needed of a token to show it. */
export interface ShownToken {
  readonly text: string;
  /** Base64. */
  readonly bytes: string;
  readonly special: boolean;
}

export interface CellPart {
  readonly text: string;
  /** `glyph` stands for a character that would not be seen, `byte` for part of a character. */
  readonly kind: "plain" | "glyph" | "byte";
}

const GLYPHS: Readonly<Record<string, string>> = {
  " ": "·",
  "\n": "⏎",
  "\r": "‹CR›",
  "\t": "⇥",
  "\u00a0": "‹NBSP›",
  "\u00ad": "‹SHY›",
  "\u061c": "‹ALM›",
  "\u200b": "‹ZWSP›",
  "\u200c": "‹ZWNJ›",
  "\u200d": "‹ZWJ›",
  "\u200e": "‹LRM›",
  "\u200f": "‹RLM›",
  "\u202a": "‹LRE›",
  "\u202b": "‹RLE›",
  "\u202c": "‹PDF›",
  "\u202d": "‹LRO›",
  "\u202e": "‹RLO›",
  "\u2060": "‹WJ›",
  "\u2066": "‹LRI›",
  "\u2067": "‹RLI›",
  "\u2068": "‹FSI›",
  "\u2069": "‹PDI›",
  "\ufe0e": "‹VS15›",
  "\ufe0f": "‹VS16›",
  "\ufeff": "‹BOM›",
};

/** Separators, controls, formats, private and unassigned code points, and blanks that fonts leave empty. */
const UNSEEN = /[\p{Z}\p{C}\p{Default_Ignorable_Code_Point}\u2800]/u;
const COMBINING = /\p{M}/u;

function glyphOf(character: string): string | null {
  const named = GLYPHS[character];
  if (named !== undefined) return named;
  const codePoint = character.codePointAt(0) ?? 0;
  if (!UNSEEN.test(character)) return null;
  return `‹U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}›`;
}

function appendPart(parts: CellPart[], text: string, kind: CellPart["kind"]): void {
  const last = parts.at(-1);
  if (last?.kind === kind) parts[parts.length - 1] = { text: last.text + text, kind };
  else parts.push({ text, kind });
}

function appendCharacter(parts: CellPart[], character: string): void {
  const glyph = glyphOf(character);
  if (glyph !== null) appendPart(parts, glyph, "glyph");
  else if (COMBINING.test(character) && parts.at(-1)?.kind !== "plain")
    appendPart(parts, `◌${character}`, "plain");
  else appendPart(parts, character, "plain");
}

/** The cell form of a token, in pieces that can be styled. Never empty. */
export function cellParts(token: ShownToken): CellPart[] {
  if (token.special) return [{ text: token.text, kind: "plain" }];
  const bytes = bytesFromBase64(token.bytes);
  const parts: CellPart[] = [];
  for (const step of decodeSteps(bytes)) {
    if (step.character === null) appendPart(parts, escapeBytes(bytes.subarray(step.start, step.end)), "byte");
    else appendCharacter(parts, step.character);
  }
  return parts.length === 0 ? [{ text: "∅", kind: "glyph" }] : parts;
}

/** The cell form of a token of which the lossless text is known. */
export function cellPartsOfText(text: string): CellPart[] {
  const parts: CellPart[] = [];
  for (const character of text) {
    const byte = escapedByte(character);
    if (byte === null) appendCharacter(parts, character);
    else appendPart(parts, escapeBytes(Uint8Array.of(byte)), "byte");
  }
  return parts.length === 0 ? [{ text: "∅", kind: "glyph" }] : parts;
}

const joinParts = (parts: readonly CellPart[]): string => parts.map((part) => part.text).join("");

export const cellText = (token: ShownToken): string => joinParts(cellParts(token));

export const cellTextOfText = (text: string): string => joinParts(cellPartsOfText(text));

/** The text of a token as it is known of predicted ones: with its bytes where they are no whole character. */
export const losslessTextOf = (token: Pick<ShownToken, "bytes">): string =>
  losslessText(bytesFromBase64(token.bytes));

/** The bytes of a token for people: `20 50 61 72 69 73`. */
export const byteList = (token: Pick<ShownToken, "bytes">): string => hexBytes(bytesFromBase64(token.bytes));

/** The same of a lossless text. */
export const byteListOfText = (text: string): string => hexBytes(bytesOfLossless(text));

export interface RunningPiece {
  /** What this token adds to the text; joined over the tokens, the lossless text. */
  readonly text: string;
  /**
   * A small stand-in to show, and to click, where `text` alone would leave no visible place: a token
   * that only begins a character, a zero-width character. No part of the text. Line breaks have none:
   * each has its own sign, also inside longer tokens.
   */
  readonly mark: string | null;
}

/** Blanks, line breaks, and bytes of no character, each of which is drawn in its own way. */
const DRAWN = /[\t \r\n\p{Surrogate}]/u;

const markOf = (text: string, bytes: Uint8Array): string | null => {
  if (text === "") return bytes.length === 0 ? "∅" : escapeBytes(bytes);
  if (Array.from(text).every((character) => !DRAWN.test(character) && glyphOf(character) !== null)) {
    return Array.from(text, glyphOf).join("");
  }
  return null;
};

/** Pieces of tokens that are whole characters, and of the runs of tokens that share characters, by their first token. */
const wholePieces = new WeakMap<ShownToken, RunningPiece | null>();
const sharedPieces = new WeakMap<
  ShownToken,
  { readonly tokens: readonly ShownToken[]; readonly isOpen: boolean; readonly pieces: RunningPiece[] }
>();

/**
 * The running form. A character that is spread over several tokens belongs to the token that
 * completes it; bytes that never become one stay with the tokens that they are in. With
 * `isOpen` more tokens may follow, so a sequence cut short at the end is still left out. A token is
 * decoded once: of a text that grows only the new tokens are.
 */
export function runningPieces(tokens: readonly ShownToken[], isOpen = false): RunningPiece[] {
  const pieces: RunningPiece[] = [];
  for (let start = 0; start < tokens.length;) {
    const first = tokens[start];
    if (first === undefined) break;
    const whole = wholePiece(first);
    if (whole !== null) {
      pieces.push(whole);
      start += 1;
      continue;
    }
    // A whole token begins with the first byte of a character, which ends whatever was begun before it.
    let end = start + 1;
    for (let next = tokens[end]; next !== undefined && wholePiece(next) === null; next = tokens[end])
      end += 1;
    const run = tokens.slice(start, end);
    const isCut = isOpen && end === tokens.length;
    const known = sharedPieces.get(first);
    const isKnown =
      known?.isOpen === isCut &&
      known.tokens.length === run.length &&
      known.tokens.every((token, at) => token === run[at]);
    const shared = isKnown ? known.pieces : decodedPieces(run, isCut);
    if (!isKnown) sharedPieces.set(first, { tokens: run, isOpen: isCut, pieces: shared });
    for (const piece of shared) pieces.push(piece);
    start = end;
  }
  return pieces;
}

/** Null for a token that begins or ends inside a character. */
function wholePiece(token: ShownToken): RunningPiece | null {
  const known = wholePieces.get(token);
  if (known !== undefined) return known;
  const bytes = bytesFromBase64(token.bytes);
  const steps = decodeSteps(bytes);
  const text = steps.map(({ character }) => character ?? "").join("");
  const isWhole = bytes.length > 0 && steps.every(({ character }) => character !== null);
  const piece = isWhole ? { text, mark: markOf(text, bytes) } : null;
  wholePieces.set(token, piece);
  return piece;
}

function decodedPieces(tokens: readonly ShownToken[], isOpen: boolean): RunningPiece[] {
  const parts = tokens.map((token) => bytesFromBase64(token.bytes));
  const bytes = joinBytes(parts);
  const owners = parts.flatMap((own, number) => Array.from(own, () => number));
  const texts = parts.map(() => "");
  const append = (at: number, text: string): void => {
    const owner = owners[at] ?? 0;
    texts[owner] = (texts[owner] ?? "") + text;
  };
  for (const { start, end, character, truncated } of decodeSteps(bytes)) {
    if (character !== null) append(end - 1, character);
    else if (!truncated || !isOpen) {
      for (let at = start; at < end; at += 1) append(at, losslessText(bytes.subarray(at, at + 1)));
    }
  }
  return parts.map((own, number) => {
    const text = texts[number] ?? "";
    return { text, mark: markOf(text, own) };
  });
}

/** The exact text of a run of tokens, for copying. */
export function decodedText(tokens: readonly Pick<ShownToken, "bytes">[]): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
    joinBytes(tokens.map((token) => bytesFromBase64(token.bytes))),
  );
}

/** Prose that quotes tokens, with their leading blanks shown as they are in cells: “·Paris”. */
export const shownProse = (text: string): string => text.replaceAll("“ ", "“·");
