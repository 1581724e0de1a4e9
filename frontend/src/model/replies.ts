/** The divergence point of the replies of two timelines, whatever their prompts are. */
import type { Token } from "@/model/timeline";

type Said = Pick<Token, "id" | "role">;

export interface PlaceOfBoth {
  /** Index into the first timeline. */
  readonly a: number;
  /** Index into the second one. */
  readonly b: number;
}

/**
 * The first tokens in which replies of the same turn differ. Null where they are alike, where one of
 * them only goes on, and where nothing comes before them.
 */
export function partingOfReplies(a: readonly Said[], b: readonly Said[]): PlaceOfBoth | null {
  const others = repliesOf(b);
  for (const [turn, own] of repliesOf(a).entries()) {
    const other = others[turn];
    if (other === undefined) return null;
    const shorter = Math.min(own.length, other.length);
    for (let i = 0; i < shorter; i += 1) {
      const place = { a: own.start + i, b: other.start + i };
      if (a[place.a]?.id !== b[place.b]?.id) return place.a > 0 && place.b > 0 ? place : null;
    }
    if (own.length !== other.length) return null;
  }
  return null;
}

interface Reply {
  readonly start: number;
  length: number;
}

function repliesOf(tokens: readonly Said[]): Reply[] {
  const replies: Reply[] = [];
  let last: Reply | null = null;
  for (const [index, { role }] of tokens.entries()) {
    if (role !== "assistant") last = null;
    else if (last === null) replies.push((last = { start: index, length: 1 }));
    else last.length += 1;
  }
  return replies;
}
