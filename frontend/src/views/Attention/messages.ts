/** Which message of the conversation each token belongs to. */
import type { Timeline } from "@/model/timeline";

/** Tokens that are one message, or the template's. */
export interface Message {
  readonly name: string;
  readonly indices: readonly number[];
}

/**
 * The messages among the tokens from `first` up to `position`, in their order, the template's tokens as one at the end. The
 * first token stands alone: heads rest on it, whatever it says.
 */
export function messagesUpTo({ tokens, turns }: Timeline, position: number, first = 0): Message[] {
  const found = new Map<string, number[]>();
  const template: number[] = [];
  for (const { index, role } of tokens.slice(first, position + 1)) {
    if (index > 0 && role === "template") {
      template.push(index);
      continue;
    }
    const turn = Math.max(1, turns.filter(({ promptStart }) => promptStart <= index).length);
    const name =
      index === 0
        ? "First token"
        : role === "system"
          ? "System"
          : role === "user"
            ? `User ${turn}`
            : `Assistant ${turn}`;
    found.set(name, [...(found.get(name) ?? []), index]);
  }
  if (template.length > 0) found.set("Template", template);
  return [...found].map(([name, indices]) => ({ name, indices }));
}

/** What is read of each message, as much as of its tokens together. */
export const sumsOf = (messages: readonly Message[], values: readonly number[]): number[] =>
  messages.map(({ indices }) => indices.reduce((sum, index) => sum + (values[index] ?? 0), 0));
