/** Example prompts of the running model, begun in one click. */
import { useCallback } from "react";
import type { ModelInfo } from "@/api/client";
import { decodedText } from "@/lib/tokens";
import type { Timeline, Token } from "@/types/timeline";
import { useChatActions } from "./chat";
import type { Mode } from "./chatState";
import { useSelection } from "./selection";

export type Example = ModelInfo["examples"][number];

/** Begins a conversation with an example, written greedily, so that it shows what its note says. */
export function useRunExample(): (example: Example) => void {
  const { begin } = useChatActions();
  const { select } = useSelection();
  return useCallback(
    ({ mode, text }) => {
      select(null, null);
      begin(mode, text, { temperature: 0 });
    },
    [begin, select],
  );
}

/** The example that a conversation of one turn began with, and the token that it is about; null for any other. */
export function workedExample(
  timeline: Timeline,
  mode: Mode,
  examples: readonly Example[],
): { readonly example: Example; readonly token: Token } | null {
  const [turn] = timeline.turns;
  if (turn === undefined || timeline.turns.length > 1 || timeline.status !== "settled") return null;
  const asked = decodedText(
    timeline.tokens.filter((token) => token.role === "user" && token.index < turn.replyStart),
  ).trim();
  const example = examples.find((each) => each.mode === mode && each.text === asked);
  const reply = timeline.tokens.filter(
    (token) => token.role === "assistant" && token.index >= Math.max(1, turn.replyStart),
  );
  const token = reply.find((each) => each.text === example?.watch) ?? reply[0];
  return example === undefined || token === undefined ? null : { example, token };
}
