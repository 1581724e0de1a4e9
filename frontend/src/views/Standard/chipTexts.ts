/** Texts of tokens that stand side by side where there is little room: cut, but never to the same text. */
import type { CellPart } from "@/model/tokens";

interface Character {
  readonly text: string;
  readonly kind: CellPart["kind"];
}

export interface ChipToken {
  readonly id: number;
  readonly parts: readonly CellPart[];
}

const ELLIPSIS: Character = { text: "…", kind: "glyph" };

const charactersOf = (parts: readonly CellPart[]): Character[] =>
  parts.flatMap(({ text, kind }) => Array.from(text, (character) => ({ text: character, kind })));

const textOf = (characters: readonly Character[]): string => characters.map(({ text }) => text).join("");

/** `kept` characters at most, of which the last `tail` are those of the end. */
function cut(characters: readonly Character[], kept: number, tail: number): readonly Character[] {
  if (characters.length <= kept) return characters;
  const end = tail === 0 ? [] : characters.slice(-tail);
  return [...characters.slice(0, kept - 1 - tail), ELLIPSIS, ...end];
}

/** `kept` characters at most: those from `start` on. */
function middle(characters: readonly Character[], kept: number, start: number): readonly Character[] {
  const from = characters.slice(start);
  return [ELLIPSIS, ...(from.length <= kept - 1 ? from : [...from.slice(0, kept - 2), ELLIPSIS])];
}

/** The beginning, with the id of the token behind it. */
function numbered(characters: readonly Character[], kept: number, id: number): readonly Character[] {
  const number = Array.from(`#${id}`, (text): Character => ({ text, kind: "glyph" }));
  return [...cut(characters, Math.max(1, kept - number.length), 0), ...number];
}

/**
 * Each token in at most `letters` characters. Those that would be cut to the same text are cut in the
 * middle instead, and show as much of their end as it takes to tell them apart; those that are alike at
 * both ends show where they differ, and those that are alike throughout their id.
 */
export function distinctTexts(
  tokens: readonly ChipToken[],
  letters: number,
): readonly (readonly CellPart[])[] {
  const all = tokens.map(({ id, parts }) => ({ id, characters: charactersOf(parts) }));
  return all.map(({ id, characters }) => {
    const others = all.filter((other) => other.id !== id);
    const isAlone = (tail: number): boolean => {
      const shown = textOf(cut(characters, letters, tail));
      return others.every((other) => textOf(cut(other.characters, letters, tail)) !== shown);
    };
    const tail = Array.from({ length: Math.max(1, letters - 2) }, (_, each) => each).find(isAlone);
    if (tail !== undefined) return partsOf(cut(characters, letters, tail));
    const rivals = others.map((other) => textOf(other.characters));
    const isAloneFrom = (start: number): boolean => {
      const shown = textOf(middle(characters, letters, start));
      return others.every((other) => textOf(middle(other.characters, letters, start)) !== shown);
    };
    const start = rivals.includes(textOf(characters))
      ? -1
      : characters.findIndex((_, each) => each > 0 && isAloneFrom(each));
    return partsOf(start < 0 ? numbered(characters, letters, id) : middle(characters, letters, start));
  });
}

const partsOf = (characters: readonly Character[]): CellPart[] => {
  const parts: CellPart[] = [];
  for (const { text, kind } of characters) {
    const last = parts.at(-1);
    if (last?.kind === kind) parts[parts.length - 1] = { text: last.text + text, kind };
    else parts.push({ text, kind });
  }
  return parts;
};
