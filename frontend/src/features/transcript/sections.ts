/** A conversation cut by who speaks: the system prompt, the user, the model. */
import { type Segment, segmentsOf } from "@/model/segments";
import type { Timeline, Token, Turn } from "@/model/timeline";

export interface Section {
  readonly speaker: "system" | "user" | "model";
  readonly start: number;
  readonly end: number;
  readonly turn: Turn;
}

export const sectionsOf = (timeline: Timeline): Section[] =>
  segmentsOf(timeline).flatMap((segment) => cut(segment, timeline.tokens));

function cut({ kind, start, end, turn }: Segment, tokens: readonly Token[]): Section[] {
  if (kind === "reply") return [{ speaker: "model", start, end, turn }];
  const border = userStart(tokens, start, end);
  const user: Section = { speaker: "user", start: border, end, turn };
  return border === start ? [user] : [{ speaker: "system", start, end: border, turn }, user];
}

/** Where the user's part of a prompt begins; `start` where no system prompt stands before it. */
function userStart(tokens: readonly Token[], start: number, end: number): number {
  let first = start;
  while (first < end && tokens[first]?.role !== "user") first += 1;
  if (first === end) return start;
  let run = first;
  while (run > start && tokens[run - 1]?.role === "template") run -= 1;
  const border = messageStart(tokens, run, first);
  const hasSystem = run > start;
  if (border === null) return hasSystem ? afterLineBreak(tokens, run, first) : start;
  const hasWords = tokens.slice(start, border).some(({ special, text }) => !special && /\p{L}/u.test(text));
  return hasSystem || hasWords ? border : start;
}

/** The last special token that follows another one, at most with a line break between: a message begins there. */
function messageStart(tokens: readonly Token[], start: number, end: number): number | null {
  for (let index = end - 1; index > start; index -= 1) {
    if (tokens[index]?.special !== true) continue;
    let before = index - 1;
    while (before > start && tokens[before]?.special === false && tokens[before]?.text.trim() === "")
      before -= 1;
    if (tokens[before]?.special === true) return index;
  }
  return null;
}

function afterLineBreak(tokens: readonly Token[], start: number, end: number): number {
  for (let index = start; index < end; index += 1) {
    if (tokens[index]?.text.includes("\n") === true) return index + 1;
  }
  return start;
}
