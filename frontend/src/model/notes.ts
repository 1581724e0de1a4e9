/**
 * Notes that a person pins to tokens. A note is on the tokens `[start, end)`, or with a layer on how
 * they were predicted there: its cell in the heatmap is the one that selecting token and layer marks,
 * read at the token before. Notes have no ids: one is told from another by what it says of where.
 */
import type { components } from "@/types/api";
import { layerName } from "./layers";
import { cellText, cellTextOfText, decodedText, type ShownToken } from "./tokens";

export type Note = components["schemas"]["Note"];

export type NotePlace = Pick<Note, "start" | "end"> & {
  /** Null for the tokens themselves. */
  readonly layer: number | null;
};

/** One thing done to the notes: added (nothing before), changed, or deleted (nothing after). */
export interface NoteChange {
  readonly before: Note | null;
  readonly after: Note | null;
}

/** The server's bounds: notes of a branch, characters (code points) of a note. */
export const MAX_NOTES = 1000;
export const MAX_NOTE_CHARS = 4000;

export const layerOf = (note: Note): number | null => note.layer ?? null;

export const placeOf = (note: Note): NotePlace => ({
  start: note.start,
  end: note.end,
  layer: layerOf(note),
});

export const noteAt = ({ start, end, layer }: NotePlace, text: string): Note => ({ start, end, layer, text });

export const isSameNote = (a: Note, b: Note): boolean =>
  a.start === b.start && a.end === b.end && layerOf(a) === layerOf(b) && a.text === b.text;

/** By position: where they begin, where they end, the tokens' own before those of the layers. */
export const sortedNotes = (notes: readonly Note[]): Note[] =>
  [...notes].sort((a, b) => a.start - b.start || a.end - b.end || (layerOf(a) ?? -1) - (layerOf(b) ?? -1));

/**
 * The notes after a change. What was changed and is no longer there, because another page deleted or
 * rewrote it, is added: nothing that was typed is lost. What is there already is not added again.
 */
export function withChange(notes: readonly Note[], { before, after }: NoteChange): readonly Note[] {
  const placeIn = (wanted: Note | null): number =>
    wanted === null ? -1 : notes.findIndex((note) => isSameNote(note, wanted));
  const at = placeIn(before);
  if (after === null) return at < 0 ? notes : notes.toSpliced(at, 1);
  if (at >= 0) return notes.with(at, after);
  return placeIn(after) < 0 ? [...notes, after] : notes;
}

/** What a branch that leaves at `fromIndex` takes over, by the server's rule. */
export const inheritedNotes = (notes: readonly Note[], fromIndex: number): readonly Note[] =>
  notes.filter((note) => note.end <= fromIndex);

/** The notes that concern one token: its own, those of ranges around it, and those on its layers. */
export const notesOn = (notes: readonly Note[], index: number): Note[] =>
  notes.filter((note) => note.start <= index && index < note.end);

/** How a token in running text is marked: `start` where a note begins, `inside` where one goes on. */
export type TokenNoteMark = "start" | "inside";

/** One entry for each token; undefined for those without a note. */
export function tokenNoteMarks(notes: readonly Note[], nTokens: number): (TokenNoteMark | undefined)[] {
  const marks = new Array<TokenNoteMark | undefined>(nTokens).fill(undefined);
  for (const { start, end } of notes) {
    for (let index = start + 1; index < Math.min(end, nTokens); index += 1) marks[index] ??= "inside";
    if (start < nTokens) marks[start] = "start";
  }
  return marks;
}

/** Where notes are, for whoever draws many tokens and cells. */
export interface NotedPlaces {
  /** Whether a note is on the token itself, alone or in a range. */
  readonly hasToken: (index: number) => boolean;
  /** Each token at a layer whose prediction has a note, once. */
  readonly cells: readonly { readonly index: number; readonly layer: number }[];
}

export function notedPlaces(notes: readonly Note[]): NotedPlaces {
  const tokens = new Set<number>();
  const cells = new Map<string, { readonly index: number; readonly layer: number }>();
  for (const note of notes) {
    const layer = layerOf(note);
    for (let index = note.start; index < note.end; index += 1) {
      if (layer === null) tokens.add(index);
      else cells.set(`${index} ${layer}`, { index, layer });
    }
  }
  return { hasToken: (index) => tokens.has(index), cells: [...cells.values()] };
}

/** What a person wrote as it is kept: without blanks around it, and without what the server cannot store. */
export const keptText = (written: string): string => written.replace(/\0|\p{Surrogate}/gu, "").trim();

export const countCharacters = (text: string): number => Array.from(text).length;

/** A note on one line, of at most `most` characters. */
export function onOneLine(text: string, most: number): string {
  const characters = Array.from(text.replace(/\s*\n\s*/g, " ⏎ "));
  return characters.length <= most ? characters.join("") : `${characters.slice(0, most - 1).join("")}…`;
}

const layerWords = (layer: number): string => `at ${layerName(layer)}`;

/** `, index 14, at layer 8`: what follows the token's text. */
export const afterToken = ({ start, layer }: NotePlace): string =>
  `, index ${start}${layer === null ? "" : `, ${layerWords(layer)}`}`;

/** `5 tokens, 10 to 14, at layer 8` */
export const rangeWords = ({ start, end, layer }: NotePlace): string =>
  `${end - start} tokens, ${start} to ${end - 1}${layer === null ? "" : `, ${layerWords(layer)}`}`;

export const isRange = ({ start, end }: NotePlace): boolean => end - start > 1;

/** Characters of a range's text where places are listed. */
const MAX_RANGE_TEXT = 40;
/** A character is spread over no more tokens than it has bytes in UTF-8. */
const MAX_CHARACTER_TOKENS = 4;

/** The text of a range in the cell form, cut where it is long; empty where none of its tokens is there. */
export function rangeText({ start, end }: NotePlace, tokens: readonly ShownToken[]): string {
  // Only what can be shown is decoded: a range may be a thousand tokens long, and so may the list.
  const enough = start + MAX_CHARACTER_TOKENS * (MAX_RANGE_TEXT + 1);
  const text = decodedText(tokens.slice(start, Math.min(end, enough)));
  return text === "" ? "" : onOneLine(cellTextOfText(text), MAX_RANGE_TEXT);
}

/** `·Paris, index 14, at layer 8`, or of a range `5 tokens, 10 to 14`. */
export function placeWords(place: NotePlace, tokens: readonly ShownToken[]): string {
  if (isRange(place)) return rangeWords(place);
  const token = tokens[place.start];
  return `${token === undefined ? "a token" : cellText(token)}${afterToken(place)}`;
}

/**
 * The notes on what was read at these positions and layers. A position shows two tokens, the one read
 * at and the one predicted; a layer's note is on how its token was predicted.
 */
export function notesAtPlaces(
  notes: readonly Note[],
  places: readonly { readonly position: number; readonly layer: number }[],
): Note[] {
  if (notes.length === 0) return [];
  const shown = new Set(places.flatMap(({ position }) => [position, position + 1]));
  const cells = new Set(places.map(({ position, layer }) => `${position + 1} ${layer}`));
  return sortedNotes(notes).filter((note) => {
    const layer = layerOf(note);
    for (let index = note.start; index < note.end; index += 1) {
      if (layer === null ? shown.has(index) : cells.has(`${index} ${layer}`)) return true;
    }
    return false;
  });
}
