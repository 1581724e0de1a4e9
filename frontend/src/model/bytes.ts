/** Base64 and UTF-8 at the level of single bytes: a token may hold half a character. */

/** The bytes of a base64 string. Throws on anything that is no base64. */
export function bytesFromBase64(base64: string): Uint8Array {
  const binary = atob(base64);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Bytes as they are written in source code: `\xF0\x9F`. */
export function escapeBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  return text;
}

/** Bytes for people: `20 50 61`. */
export function hexBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
}

/** Where bytes that are no character stand in a lossless text: 0x80 as U+DC80, up to 0xFF as U+DCFF. */
const ESCAPED_BYTE = 0xdc00;

/**
 * The characters of the bytes, and the bytes that are no whole character each as half a surrogate pair,
 * which no text has otherwise (PEP 383). So a token keeps its bytes wherever its text is passed on.
 */
export const losslessText = (bytes: Uint8Array): string =>
  decodeSteps(bytes)
    .map(
      ({ character, start, end }) =>
        character ??
        String.fromCharCode(...Array.from(bytes.subarray(start, end), (byte) => ESCAPED_BYTE + byte)),
    )
    .join("");

/** The byte that this character of a lossless text stands for; null for a character. */
export function escapedByte(character: string): number | null {
  const code = character.codePointAt(0) ?? 0;
  return code >= ESCAPED_BYTE + 0x80 && code <= ESCAPED_BYTE + 0xff ? code - ESCAPED_BYTE : null;
}

/** What `losslessText` was made of. */
export function bytesOfLossless(text: string): Uint8Array {
  const encoder = new TextEncoder();
  return joinBytes(
    Array.from(text, (character) => {
      const byte = escapedByte(character);
      return byte === null ? encoder.encode(character) : Uint8Array.of(byte);
    }),
  );
}

const HAS_BYTES = /\p{Surrogate}/u;

/** A lossless text, cut around the bytes that are no character: each second part is some of these. */
export const cutAtBytes = (text: string): string[] => text.split(/(\p{Surrogate}+)/u);

/** A lossless text with these bytes as `\x8C`. */
export const withByteNames = (text: string): string =>
  text.replace(/\p{Surrogate}+/gu, (bytes) => escapeBytes(bytesOfLossless(bytes)));

/** A lossless text as well-formed Unicode, with U+FFFD as every decoder has it. */
export const plainText = (text: string): string =>
  HAS_BYTES.test(text) ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytesOfLossless(text)) : text;

/**
 * One step of decoding: `bytes[start..end)` is the character `character`, or, where that is null, a
 * sequence that no character begins with.
 */
export interface DecodedStep {
  readonly start: number;
  readonly end: number;
  readonly character: string | null;
  /** The sequence is well-formed as far as it goes; more bytes may make it a character. */
  readonly truncated: boolean;
}

/**
 * Decodes as the WHATWG decoder does, but says which bytes each character came from: joined, with
 * U+FFFD for null, the steps equal `new TextDecoder("utf-8", { ignoreBOM: true })`.
 */
export function decodeSteps(bytes: Uint8Array): DecodedStep[] {
  const steps: DecodedStep[] = [];
  let i = 0;
  while (i < bytes.length) {
    const start = i;
    const lead = bytes[i] ?? 0;
    i += 1;
    if (lead < 0x80) {
      steps.push({ start, end: i, character: String.fromCharCode(lead), truncated: false });
      continue;
    }
    const needed =
      lead >= 0xc2 && lead <= 0xdf ? 1 : lead >> 4 === 0xe ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
    if (needed === 0) {
      steps.push({ start, end: i, character: null, truncated: false });
      continue;
    }
    // The first continuation byte has a narrower range after these leads: no overlong forms, no
    // surrogates, nothing above U+10FFFF.
    let low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    let high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    let codePoint = lead & (0x3f >> needed);
    let seen = 0;
    while (seen < needed && i < bytes.length) {
      const byte = bytes[i] ?? 0;
      if (byte < low || byte > high) break;
      codePoint = (codePoint << 6) | (byte & 0x3f);
      low = 0x80;
      high = 0xbf;
      seen += 1;
      i += 1;
    }
    const complete = seen === needed;
    steps.push({
      start,
      end: i,
      character: complete ? String.fromCodePoint(codePoint) : null,
      truncated: !complete && i === bytes.length,
    });
  }
  return steps;
}

/** `<0x0A>`: how a vocabulary spells the token of one byte, given in Base64. */
export function byteName(base64: string): string {
  const [byte = 0] = bytesFromBase64(base64);
  return `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
}
