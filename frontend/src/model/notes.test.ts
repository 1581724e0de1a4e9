import { describe, expect, test } from "vitest";
import { madeUpTokens } from "@/test/lensData";
import {
  type Note,
  countCharacters,
  inheritedNotes,
  keptText,
  notedPlaces,
  notesAtPlaces,
  notesOn,
  onOneLine,
  placeOf,
  placeWords,
  rangeText,
  sortedNotes,
  tokenNoteMarks,
  withChange,
} from "./notes";
import { cellText } from "./tokens";

const note = (start: number, end: number, layer: number | null, text = "text"): Note => ({
  start,
  end,
  layer,
  text,
});
const A = note(2, 3, null, "a");
const B = note(4, 7, null, "b");
const C = note(4, 5, 9, "c");

describe("a change", () => {
  test("adds, rewrites in place, and deletes", () => {
    expect(withChange([A], { before: null, after: B })).toEqual([A, B]);
    expect(withChange([A, B], { before: A, after: C })).toEqual([C, B]);
    expect(withChange([A, B], { before: A, after: null })).toEqual([B]);
  });
  test("of what another page has deleted or rewritten loses nothing that was typed", () => {
    expect(withChange([B], { before: A, after: C })).toEqual([B, C]);
    expect(withChange([B], { before: A, after: null })).toEqual([B]);
  });
  test("that is there already is not made twice", () => {
    expect(withChange([A, B], { before: null, after: B })).toEqual([A, B]);
    expect(withChange([A, C], { before: B, after: C })).toEqual([A, C]);
  });
  test("finds a note whose layer the server left out", () => {
    expect(withChange([{ start: 2, end: 3, text: "a" }], { before: A, after: null })).toEqual([]);
  });
});

test("notes are listed by position, those of the tokens before those of a layer", () => {
  const own = note(4, 5, null);
  const embedding = note(4, 5, 0);
  expect(sortedNotes([B, C, embedding, own, A])).toEqual([A, own, embedding, C, B]);
});

test("a branch takes over the notes that lie in what it shares, as the server does", () => {
  expect(inheritedNotes([A, B, C], 5)).toEqual([A, C]);
  expect(inheritedNotes([A, B, C], 7)).toEqual([A, B, C]);
  expect(inheritedNotes([A, B, C], 2)).toEqual([]);
});

describe("where notes are", () => {
  test("a token has its own, those of ranges around it and those of its layers", () => {
    expect(notesOn([A, B, C], 4)).toEqual([B, C]);
    expect(notesOn([A, B, C], 6)).toEqual([B]);
    expect(notesOn([A, B, C], 7)).toEqual([]);
  });
  test("marks begin with each note, run through ranges, and end with the text", () => {
    const marks = tokenNoteMarks([A, B, note(5, 6, null), note(9, 20, null)], 11);
    expect(marks.map((mark) => mark?.[0] ?? "-").join("")).toBe("--s-ssi--si");
  });
  test("cells are told from tokens", () => {
    const noted = notedPlaces([B, C, note(4, 6, 9)]);
    expect([3, 4, 6, 7].map(noted.hasToken)).toEqual([false, true, true, false]);
    expect(noted.cells).toEqual([
      { index: 4, layer: 9 },
      { index: 5, layer: 9 },
    ]);
    expect(notedPlaces([C]).hasToken(4)).toBe(false);
  });
});

test("places in words", () => {
  const tokens = madeUpTokens(20);
  const own = cellText(tokens[14] ?? { text: "", bytes: "", special: false });
  expect(placeWords(placeOf(note(14, 15, null)), tokens)).toBe(`${own}, index 14`);
  expect(placeWords(placeOf(note(14, 15, 8)), tokens)).toBe(`${own}, index 14, at layer 8`);
  expect(placeWords(placeOf(note(14, 15, 0)), tokens)).toBe(`${own}, index 14, at layer 0 (embedding)`);
  expect(placeWords(placeOf(note(10, 15, null)), tokens)).toBe("5 tokens, 10 to 14");
  expect(placeWords(placeOf(note(14, 15, 8)), [])).toBe("a token, index 14, at layer 8");
});

describe("the text of a range", () => {
  const place = (start: number, end: number) => placeOf(note(start, end, null));
  const written = (...texts: string[]) => texts.map((text) => ({ text, bytes: btoa(text), special: false }));

  test("is in the cell form, from its first token to its last", () => {
    expect(rangeText(place(1, 4), written("The", " capital", " of", "\n", "France"))).toBe("·capital·of⏎");
    expect(rangeText(place(3, 9), written("The", " capital"))).toBe("");
  });

  test("is cut at forty characters, however long the range", () => {
    const tokens = written(...Array.from({ length: 1024 }, () => "ab"));
    expect(rangeText(place(0, 20), tokens)).toBe("ab".repeat(20));
    expect(rangeText(place(0, 1024), tokens)).toBe(`${"ab".repeat(19)}a…`);
  });

  test("is whole where a character is spread over its tokens", () => {
    const bytes = ["\xf0", "\x9f", "\x98", "\x80"].map((byte) => ({
      text: "\ufffd",
      bytes: btoa(byte),
      special: false,
    }));
    const tokens = Array.from({ length: 50 }, () => bytes).flat();
    expect(rangeText(place(0, 4), tokens)).toBe("😀");
    expect(rangeText(place(0, 200), tokens)).toBe(`${"😀".repeat(39)}…`);
  });
});

describe("what was typed", () => {
  test("keeps its line breaks and characters, and loses what cannot be stored", () => {
    expect(keptText("  one\n two 😀\0\ud83d\n")).toBe("one\n two 😀");
  });
  test("is counted as the server counts it", () => {
    expect(countCharacters("é😀x")).toBe(3);
  });
  test("on one line shows where the lines ended, and is cut between characters", () => {
    expect(onOneLine("a\n\n b", 10)).toBe("a ⏎ b");
    expect(onOneLine("😀😀😀😀", 3)).toBe("😀😀…");
  });
});

test("what was read at a position concerns its two tokens, and at a layer the one predicted", () => {
  const places = [
    { position: 3, layer: 9 },
    { position: 3, layer: 8 },
  ];
  const read = note(3, 4, null);
  const before = note(2, 3, null);
  const otherLayer = note(4, 5, 7);
  const rangeAtLayer = note(2, 9, 8);
  expect(notesAtPlaces([before, read, B, C, otherLayer, rangeAtLayer], places)).toEqual([
    rangeAtLayer,
    read,
    C,
    B,
  ]);
  expect(notesAtPlaces([note(3, 4, 9)], places)).toEqual([]);
});
