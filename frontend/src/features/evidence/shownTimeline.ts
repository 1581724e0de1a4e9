import { useRef } from "react";
import { useChat } from "@/features/chat/chat";
import type { Timeline } from "@/model/timeline";

/**
 * The conversation for what shows one token of it, or none: the same object while tokens of a reply
 * arrive that are not beside that token.
 */
export function useTokenTimeline(index: number | null): Timeline {
  const held = useRef<Timeline | null>(null);
  return useChat(({ timeline }) => {
    if (held.current === null || !isSameAround(index, held.current, timeline)) held.current = timeline;
    return held.current;
  });
}

function isSameAround(index: number | null, before: Timeline, after: Timeline): boolean {
  if (
    before.conversationId !== after.conversationId ||
    before.status !== after.status ||
    before.turns !== after.turns ||
    before.model !== after.model ||
    before.shipped !== after.shipped ||
    (before.tokens.length === 0) !== (after.tokens.length === 0)
  ) {
    return false;
  }
  if (after.status !== "streaming") return before.tokens === after.tokens;
  if (index === null) return true;
  return [index - 1, index, index + 1].every((place) => before.tokens[place] === after.tokens[place]);
}
