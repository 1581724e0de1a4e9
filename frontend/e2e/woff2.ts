/** What a font can draw, read from its file. */
import { readFileSync } from "node:fs";
import { brotliDecompressSync } from "node:zlib";

/** The code points that a WOFF2 font has glyphs for: its `cmap`, of format 4 or 12. */
export function codePointsOf(path: string): Set<number> {
  const file = readFileSync(path);
  let at = 48;
  const base128 = (): number => {
    let value = 0;
    for (;;) {
      const byte = file.readUInt8(at++);
      value = value * 128 + (byte & 127);
      if (byte < 128) return value;
    }
  };
  let start: number | null = null;
  let offset = 0;
  for (let table = 0; table < file.readUInt16BE(12); table += 1) {
    const flags = file.readUInt8(at++);
    const kind = flags & 63;
    if (kind === 63) at += 4;
    // 0 is `cmap`; `glyf` and `loca` (10 and 11) are transformed unless they say 3, the others if they say so.
    if (kind === 0) start = offset;
    const length = base128();
    const isTransformed = kind === 10 || kind === 11 ? flags >> 6 !== 3 : flags >> 6 !== 0;
    offset += isTransformed ? base128() : length;
  }
  if (start === null) throw new Error(`${path} has no cmap`);
  const cmap = brotliDecompressSync(file.subarray(at, at + file.readUInt32BE(20))).subarray(start);
  const found = new Set<number>();
  const add = (first: number, last: number): void => {
    for (let point = first; point <= last; point += 1) found.add(point);
  };
  for (let part = 0; part < cmap.readUInt16BE(2); part += 1) {
    const own = cmap.subarray(cmap.readUInt32BE(8 + 8 * part));
    if (own.readUInt16BE(0) === 4) {
      const size = own.readUInt16BE(6);
      for (let i = 0; i < size; i += 2) add(own.readUInt16BE(16 + size + i), own.readUInt16BE(14 + i));
    } else if (own.readUInt16BE(0) === 12) {
      for (let i = 0; i < own.readUInt32BE(12); i += 1)
        add(own.readUInt32BE(16 + 12 * i), own.readUInt32BE(20 + 12 * i));
    }
  }
  return found;
}
