/** Makes the shipped example a conversation of the server's, with exactly its ids. */
import { call, client, unwrap } from "@/base/client";
import { decodedText } from "@/model/tokens";
import type { components } from "@/types/api";
import type { OpeningExample } from "@/types/schemas";

type ConversationFile = components["schemas"]["ConversationFile"];

/** Saves it and returns its id. */
export async function keepShipped(shipped: OpeningExample): Promise<string> {
  const body = fileOf(shipped, Date.now());
  return unwrap(await call(() => client.POST("/api/conversations/import", { body }))).id;
}

export function fileOf({ example, model, tokens, turn }: OpeningExample, now: number): ConversationFile {
  const roles: [OpeningExample["tokens"][number]["role"], number][] = [];
  for (const { role } of tokens) {
    const last = roles.at(-1);
    if (last?.[0] === role) last[1] += 1;
    else roles.push([role, 1]);
  }
  const spoken = tokens.filter(({ role, special }) => role !== "template" && !special);
  return {
    format: "mechanistic-explorer-conversation",
    version: 2,
    title: example.text,
    model,
    created_at_ms: now,
    updated_at_ms: now,
    branches: [
      {
        mode: example.mode,
        token_ids: tokens.map(({ id }) => id),
        roles,
        text: decodedText(spoken).trim(),
        turns: [turn],
      },
    ],
  };
}
