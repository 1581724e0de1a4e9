/** A conversation read back into messages, so that one of them can be put differently. */
import type { Token } from "@/model/timeline";
import { decodedText } from "@/model/tokens";
import type { components } from "@/types/api";

type Message = components["schemas"]["ChatMessage"];

/** A text that was never sent, as the server takes it. */
export type AlteredText = { readonly messages: Message[] } | { readonly prompt: string };

interface Run {
  readonly role: Message["role"];
  readonly start: number;
  readonly end: number;
}

/** Neighbours of one role; what the template wrote stands between them. */
function runsOf(tokens: readonly Token[]): Run[] {
  const runs: Run[] = [];
  for (let start = 0; start < tokens.length;) {
    const role = tokens[start]?.role ?? "template";
    let end = start + 1;
    while (tokens[end]?.role === role) end += 1;
    if (role !== "template") runs.push({ role, start, end });
    start = end;
  }
  return runs;
}

const textOf = (tokens: readonly Token[], { start, end }: Run): string =>
  decodedText(tokens.slice(start, end));

/**
 * A message as it was typed. A template sets its own blanks around it, and the one before its first
 * word is part of that word's token; a reply keeps its blanks, which are its own.
 */
const contentOf = (tokens: readonly Token[], run: Run): string =>
  run.role === "assistant" ? textOf(tokens, run) : textOf(tokens, run).trim();

const lastUserRun = (runs: readonly Run[]): Run | undefined => runs.findLast((run) => run.role === "user");

/** What the user said last; empty where the user said nothing. */
export function lastUserText(tokens: readonly Token[], mode: "chat" | "completion"): string {
  const run = lastUserRun(runsOf(tokens));
  if (run === undefined) return "";
  return mode === "chat" ? contentOf(tokens, run) : textOf(tokens, run);
}

/** The conversation up to what the user said last, with that said differently, and without what came after. */
export function withLastUserText(
  tokens: readonly Token[],
  mode: "chat" | "completion",
  text: string,
): AlteredText {
  const runs = runsOf(tokens);
  const last = lastUserRun(runs);
  const before = last === undefined ? [] : runs.slice(0, runs.indexOf(last));
  if (mode === "completion") return { prompt: before.map((run) => textOf(tokens, run)).join("") + text };
  return {
    messages: [
      ...before.map((run) => ({ role: run.role, content: contentOf(tokens, run) })),
      { role: "user", content: text },
    ],
  };
}
