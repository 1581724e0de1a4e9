/** Texts of tokens that stand side by side where there is little room: cut, but never to the same text. */
import type { CellPart } from "@/model/tokens";

interface Character {
  readonly text: string;
  readonly kind: CellPart["kind"];
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

/**
 * Each token in at most `letters` characters. Those that would be cut to the same text are cut in the
 * middle instead, and show as much of their end as it takes to tell them apart. Texts that are the same
 * in full, or alike at both ends, stay as they are.
 */
export function distinctTexts(
  tokens: readonly (readonly CellPart[])[],
  letters: number,
): readonly (readonly CellPart[])[] {
  const all = tokens.map(charactersOf);
  return all.map((own) => {
    const others = all.filter((other) => other !== own && textOf(other) !== textOf(own));
    const isAlone = (tail: number): boolean => {
      const shown = textOf(cut(own, letters, tail));
      return others.every((other) => textOf(cut(other, letters, tail)) !== shown);
    };
    const tails = Array.from({ length: Math.max(1, letters - 2) }, (_, tail) => tail);
    const tail = tails.find(isAlone);
    return tail === undefined ? own : partsOf(cut(own, letters, tail));
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
