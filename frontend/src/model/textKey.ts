/**
 * A name for the beginning of a timeline, for the keys of caches. A turn that failed may be followed
 * by another at the same positions of the same conversation, so its id and a position are no key.
 */
interface Identified {
  readonly id: number;
}

const hashes = new WeakMap<readonly Identified[], Float64Array>();

/** 53 bits of the ids of the first `length` tokens; the same for all timelines that begin with them. */
export function textKey(tokens: readonly Identified[], length: number): string {
  let prefixes = hashes.get(tokens);
  if (prefixes === undefined) {
    prefixes = prefixHashes(tokens);
    hashes.set(tokens, prefixes);
  }
  const end = Math.max(0, Math.min(length, tokens.length));
  return `${end}:${prefixes[end] ?? 0}`;
}

/** cyrb53 over ids instead of characters. */
function prefixHashes(tokens: readonly Identified[]): Float64Array {
  const prefixes = new Float64Array(tokens.length + 1);
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  tokens.forEach(({ id }, index) => {
    high = Math.imul(high ^ id, 0x9e3779b1);
    low = Math.imul(low ^ id, 0x5f356495);
    high ^= high >>> 16;
    low ^= low >>> 15;
    const mixed = Math.imul(high ^ (low >>> 13), 0x85ebca77);
    prefixes[index + 1] = 4294967296 * (0x1fffff & mixed) + (low >>> 0);
  });
  return prefixes;
}
