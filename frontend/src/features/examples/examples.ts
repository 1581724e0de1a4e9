/** Example prompts of the running model, begun in one click. */
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { useChatActions } from "@/features/chat/chat";
import type { Mode } from "@/features/chat/chatState";
import { useSelection } from "@/features/selection/selection";
import type { Timeline, Token } from "@/model/timeline";
import { decodedText } from "@/model/tokens";
import type { ModelInfo } from "@/types/schemas";
import { fetchExamples } from "./requests";

export type Example = ModelInfo["examples"][number];

/** In plain words; an example without a question goes by its title. */
export const questionOf = ({ question, title }: Example): string => question ?? title;

/**
 * The examples of a model. Those that the server measures when they are first asked for are asked for
 * where `isAsked`; `areAwaited` while it does.
 */
export function useExamples(
  model: ModelInfo | null,
  isAsked: boolean,
): { readonly examples: readonly Example[]; readonly areAwaited: boolean } {
  const known = model?.examples ?? [];
  const measured = useQuery({
    queryKey: ["examples", model?.model_name, model?.revision],
    queryFn: ({ signal }) => fetchExamples(signal),
    enabled: isAsked && model !== null && known.length === 0,
    retry: 1,
    staleTime: Infinity,
  });
  return {
    examples: known.length > 0 ? known : (measured.data ?? []),
    areAwaited: measured.isFetching,
  };
}

/** Begins a conversation with an example under the settings that it was measured with. */
export function useRunExample(): (example: Example) => void {
  const { begin } = useChatActions();
  const { select } = useSelection();
  return useCallback(
    ({ mode, text, bos }) => {
      select(null, null);
      begin(mode, text, { temperature: 0, systemPrompt: "", bos: bos ?? null });
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
