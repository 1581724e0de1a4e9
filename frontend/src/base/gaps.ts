/** Which positions of a timeline to read next. */
import type { Span } from "./span";

/**
 * The first gap in `visible`, else the newest gap, at most `size` positions long; null when nothing of
 * the timeline of `length` tokens is wanted.
 */
export function nextGap(
  isWanted: (position: number) => boolean,
  length: number,
  size: number,
  visible: Span | null,
): Span | null {
  for (let start = visible?.start ?? 0; start < Math.min(visible?.end ?? 0, length); start += 1) {
    if (!isWanted(start)) continue;
    let end = start + 1;
    while (end < length && end - start < size && isWanted(end)) end += 1;
    return { start, end };
  }
  for (let last = length - 1; last >= 0; last -= 1) {
    if (!isWanted(last)) continue;
    let start = last;
    while (start > 0 && last + 1 - start < size && isWanted(start - 1)) start -= 1;
    return { start, end: last + 1 };
  }
  return null;
}
