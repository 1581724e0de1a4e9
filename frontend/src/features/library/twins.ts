/** Saved conversations whose titles look the same in a list, and what tells them apart. */
import { formatCount } from "@/model/format";

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
  const groups = new Map<string, Listed[]>();
  for (const each of listed) {
    const key = seen(each);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [each]);
    else group.push(each);
  }
  const marks = new Map<string, string>();
  for (const twins of groups.values()) {
    if (twins.length < 2) continue;
    const times = twins.map((each) => MINUTES.format(each.updated_at_ms));
    for (const [i, { id, updated_at_ms, n_tokens }] of twins.entries()) {
      const time = times[i] ?? "";
      const isShared = times.indexOf(time) !== times.lastIndexOf(time);
      const tokens = `${formatCount(n_tokens)} ${n_tokens === 1 ? "token" : "tokens"}`;
      marks.set(id, `${isShared ? SECONDS.format(updated_at_ms) : time}, ${tokens}`);
    }
  }
  return marks;
}

// Made once: making a format costs more than using it.
const MINUTES = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const SECONDS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const seen = ({ title }: Listed): string => title.slice(0, SEEN_LENGTH).trim().toLowerCase();
