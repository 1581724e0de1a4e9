/** Saved conversations whose titles look the same in a list, and what tells them apart. */
import { formatCount } from "./format";

/** Characters of a title that a list shows before it is cut off. */
const SEEN_LENGTH = 28;

interface Listed {
  readonly id: string;
  readonly title: string;
  readonly updated_at_ms: number;
  readonly n_tokens: number;
}

/**
 * By id, for those that look like another one: `14:32, 18 tokens`, with seconds where two were written in
 * the same minute. The day is not in it. Times are those of the reader's clock.
 */
export function twinMarks(listed: readonly Listed[]): ReadonlyMap<string, string> {
  const marks = new Map<string, string>();
  for (const each of listed) {
    const twins = listed.filter((other) => other !== each && seen(other) === seen(each));
    if (twins.length === 0) continue;
    const isShared = twins.some((other) => timeOf(other, false) === timeOf(each, false));
    const tokens = `${formatCount(each.n_tokens)} ${each.n_tokens === 1 ? "token" : "tokens"}`;
    marks.set(each.id, `${timeOf(each, isShared)}, ${tokens}`);
  }
  return marks;
}

const seen = ({ title }: Listed): string => title.slice(0, SEEN_LENGTH).trim().toLowerCase();

const timeOf = ({ updated_at_ms }: Listed, withSeconds: boolean): string =>
  new Date(updated_at_ms).toLocaleTimeString("en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    ...(withSeconds ? { second: "2-digit" } : {}),
  });
