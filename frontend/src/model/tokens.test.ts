import { describe, expect, test } from "vitest";
import {
  bytesFromBase64,
  bytesOfLossless,
  decodeSteps,
  escapeBytes,
  hexBytes,
  losslessText,
  plainText,
  withByteNames,
} from "./bytes";
import { runningText } from "./runningText";
import {
  type ShownToken,
  byteList,
  byteListOfText,
  cellParts,
  cellPartsOfText,
  cellText,
  cellTextOfText,
  decodedText,
  runningPieces,
} from "./tokens";

const base64 = (bytes: readonly number[]): string => btoa(String.fromCharCode(...bytes));

/** A token of raw bytes, with the text that a tokenizer gives to it alone. */
function token(bytes: readonly number[], special = false): ShownToken {
  return { text: new TextDecoder().decode(Uint8Array.from(bytes)), bytes: base64(bytes), special };
}

const bytesOf = (text: string): number[] => [...new TextEncoder().encode(text)];

/** The text cut into tokens of the given numbers of bytes; what is left is one more token. */
function cut(text: string, ...sizes: readonly number[]): ShownToken[] {
  const bytes = bytesOf(text);
  const tokens = sizes.map((size) => token(bytes.splice(0, size)));
  return bytes.length > 0 ? [...tokens, token(bytes)] : tokens;
}

describe("the cell form", () => {
  test.each([
    [" Paris", "·Paris"],
    ["\n\n", "⏎⏎"],
    ["\r\n", "‹CR›⏎"],
    ["\t", "⇥"],
    ["\0", "‹U+0000›"],
    ["\u001b[0m", "‹U+001B›[0m"],
    ["\u007f", "‹U+007F›"],
    ["\u0085", "‹U+0085›"],
    ["a\u202eb", "a‹RLO›b"],
    ["\u200d", "‹ZWJ›"],
    ["❤\ufe0f", "❤‹VS16›"],
    ["\u00a0", "‹NBSP›"],
    ["\u3000", "‹U+3000›"],
    ["\ue000", "‹U+E000›"],
    ["\u0301", "◌\u0301"],
    ["e\u0301", "e\u0301"],
    ["مرحبا", "مرحبا"],
    ["你好", "你好"],
    ["·", "·"],
  ])("of %j is %j", (text, shown) => {
    expect(cellText(token(bytesOf(text)))).toBe(shown);
    expect(cellTextOfText(text)).toBe(shown);
  });

  test("writes bytes that are no whole character in hexadecimal, next to those that are", () => {
    expect(cellText(token([0xf0, 0x9f]))).toBe("\\xF0\\x9F");
    expect(cellText(token([0x20, 0xe4, 0xbd]))).toBe("·\\xE4\\xBD");
    expect(cellText(token([0xa0, 0x41]))).toBe("\\xA0A");
  });

  test("keeps glyphs and bytes apart from the text, so that they can be styled", () => {
    expect(cellParts(token([0x20, 0x61, 0xff]))).toEqual([
      { text: "·", kind: "glyph" },
      { text: "a", kind: "plain" },
      { text: "\\xFF", kind: "byte" },
    ]);
  });

  test("leaves special tokens as they are", () => {
    expect(cellText(token(bytesOf("<|end of text|>"), true))).toBe("<|end of text|>");
  });

  test("shows a token without bytes", () => {
    expect(cellText(token([]))).toBe("∅");
    expect(cellTextOfText("")).toBe("∅");
  });

  test.each([
    [[0x20, 0xf0, 0x9f], "·\\xF0\\x9F", "20 F0 9F"],
    [[0x82, 0x21], "\\x82!", "82 21"],
    [[0xf0, 0x9f, 0x99, 0x82, 0xf0, 0x9f], "🙂\\xF0\\x9F", "F0 9F 99 82 F0 9F"],
    [[0xed, 0xa0, 0x80], "\\xED\\xA0\\x80", "ED A0 80"],
    // A real replacement character is a character.
    [[0xef, 0xbf, 0xbd], "\ufffd", "EF BF BD"],
    [[0x20, 0xc3, 0xa9], "·é", "20 C3 A9"],
  ])("shows the same of the bytes %j as of a token and as of a lossless text", (bytes, cell, list) => {
    const own = token(bytes);
    const text = losslessText(Uint8Array.from(bytes));
    expect([cellText(own), cellTextOfText(text)]).toEqual([cell, cell]);
    expect([byteList(own), byteListOfText(text)]).toEqual([list, list]);
    expect(plainText(text)).toBe(decodedText([own]));
  });

  test("tells a byte apart from the text that spells it", () => {
    expect(cellPartsOfText("\\xF0")).toEqual([{ text: "\\xF0", kind: "plain" }]);
    expect(cellPartsOfText(losslessText(Uint8Array.of(0xf0)))).toEqual([{ text: "\\xF0", kind: "byte" }]);
    expect(byteList(token([0xf0, 0x0a]))).toBe("F0 0A");
  });
});

const FAMILY = "👨‍👩‍👧";
const SPLIT_TEXTS: readonly (readonly [string, readonly ShownToken[]])[] = [
  ["an emoji over three tokens", cut("😀!", 1, 2, 1)],
  ["a ZWJ sequence", cut(FAMILY, 2, 2, 3, 1, 3, 3, 2)],
  ["CJK cut inside characters", cut("你好吗", 2, 2, 3)],
  ["Arabic cut inside letters", cut("مرحبا بك", 1, 3, 5)],
  ["CRLF, tabs and NUL", cut("a\r\n\tb\0c", 1, 1, 1, 1, 1, 1)],
  ["a byte order mark", cut("\ufeffa", 2, 1)],
  ["invalid bytes between text", [token([0x61, 0xf0, 0x9f]), token([0x62]), token([0x80, 0xc0, 0xaf])]],
  ["a surrogate and an overlong form", [token([0xed, 0xa0]), token([0x80, 0xe0, 0x80]), token([0xaf])]],
  ["a character that is never finished", [token([0x61]), token([0xe4, 0xbd])]],
];

describe("the running form", () => {
  test.each(SPLIT_TEXTS)("joined is the exact text, byte for byte: %s", (_, tokens) => {
    const joined = runningPieces(tokens)
      .map((piece) => piece.text)
      .join("");
    const bytes = Uint8Array.from(tokens.flatMap((each) => [...bytesFromBase64(each.bytes)]));
    expect(bytesOfLossless(joined)).toEqual(bytes);
    expect(plainText(joined)).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
    expect(decodedText(tokens)).toBe(plainText(joined));
    expect(runningText(tokens)).not.toContain("\ufffd");
  });

  test.each(SPLIT_TEXTS)("gives every token a visible place: %s", (_, tokens) => {
    for (const piece of runningPieces(tokens)) expect(piece.text + (piece.mark ?? "")).not.toBe("");
  });

  test("gives a character to the token that completes it and marks the others by their bytes", () => {
    expect(runningPieces(cut("😀!", 1, 2, 1))).toEqual([
      { text: "", mark: "\\xF0" },
      { text: "", mark: "\\x9F\\x98" },
      { text: "😀", mark: null },
      { text: "!", mark: null },
    ]);
  });

  test("names bytes that never become a character where they stand, in the token that has them", () => {
    const tokens = [token([0x20, 0xf0]), token([0x9f]), token([0x62, 0xff])];
    const pieces = runningPieces(tokens);
    expect(pieces.map(({ text }) => withByteNames(text))).toEqual([" \\xF0", "\\x9F", "b\\xFF"]);
    expect(pieces.map(({ mark }) => mark)).toEqual([null, null, null]);
    expect(runningText(tokens)).toBe(" \\xF0\\x9Fb\\xFF");
  });

  test("keeps a replacement character that the model wrote", () => {
    expect(runningText([token([0xef, 0xbf, 0xbd])])).toBe("\ufffd");
  });

  test("holds back an unfinished character while more tokens may follow", () => {
    const tokens = [token([0x61]), token([0xe4, 0xbd])];
    expect(runningText(tokens, true)).toBe("a");
    expect(runningPieces(tokens, true).map((piece) => piece.mark)).toEqual([null, "\\xE4\\xBD"]);
    expect(runningText(tokens)).toBe("a\\xE4\\xBD");
  });

  test.each(SPLIT_TEXTS)(
    "of a text that grows is that of the whole, and old pieces stay: %s",
    (_, tokens) => {
      for (let end = 1; end < tokens.length; end += 1) runningPieces(tokens.slice(0, end), true);
      const fresh = tokens.map((each) => ({ ...each }));
      expect(runningPieces(tokens)).toEqual(runningPieces(fresh));
      for (const [index, piece] of runningPieces(tokens).entries())
        expect(runningPieces([...tokens, token(bytesOf("x"))])[index]).toBe(piece);
    },
  );

  test("marks zero-width characters, but neither line breaks, which have signs of their own, nor blanks", () => {
    const pieces = runningPieces(
      ["\n\n", "\r\n", "\u200d", " ", "\t", " a"].map((text) => token(bytesOf(text))),
    );
    expect(pieces.map((piece) => piece.mark)).toEqual([null, null, "‹ZWJ›", null, null, null]);
    expect(pieces.map((piece) => piece.text).join("")).toBe("\n\n\r\n\u200d \t a");
  });
});

describe("decoding", () => {
  test("equals the platform's decoder on every pair and on random runs of bytes", () => {
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    const decode = (bytes: Uint8Array) =>
      decodeSteps(bytes)
        .map((step) => step.character ?? "\ufffd")
        .join("");
    const wrong: string[] = [];
    for (let pair = 0; pair < 65536; pair += 1) {
      const bytes = Uint8Array.of(pair >> 8, pair & 0xff);
      if (decode(bytes) !== decoder.decode(bytes)) wrong.push(hexBytes(bytes));
    }
    // Bytes that decide about well-formed sequences, in every order a small generator finds.
    const pool = [
      0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5,
    ];
    let seed = 1;
    for (let run = 0; run < 5000; run += 1) {
      const bytes = Uint8Array.from({ length: 6 }, () => {
        seed = (seed * 1103515245 + 12345) % 2147483648;
        return pool[(seed >> 12) % pool.length] ?? 0;
      });
      if (decode(bytes) !== decoder.decode(bytes)) wrong.push(hexBytes(bytes));
    }
    expect(wrong).toEqual([]);
  });

  test("escapes bytes as source code does", () => {
    expect(escapeBytes(Uint8Array.of(0, 15, 240))).toBe("\\x00\\x0F\\xF0");
  });
});
