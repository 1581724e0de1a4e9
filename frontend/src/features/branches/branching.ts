/** Branches of the conversation: from a token on, it goes on differently. */
import { useChat, useChatActions } from "@/features/chat/chat";
import { useSelection } from "@/features/selection/selection";
import { useServer } from "@/features/server/server";

interface Branching {
  /** Cuts before `index` and writes on from there, beginning with these tokens; selects that place. */
  readonly branch: (index: number, forced: readonly number[]) => void;
  /** Why that cannot be done now; null where it can. */
  readonly refusedBecause: string | null;
}

export function useBranching(): Branching {
  const isReplying = useChat(({ pending }) => pending !== null);
  const isSaved = useChat(({ timeline }) => timeline.conversationId !== null);
  const actions = useChatActions();
  const { select } = useSelection();
  const { phase } = useServer();
  const refusedBecause = isReplying
    ? "A reply is being written"
    : !isSaved
      ? "Nothing is saved yet that could branch"
      : phase === "ready" || phase === "stalled"
        ? null
        : "The model is not ready";
  return {
    branch: (index, forced) => {
      if (refusedBecause !== null) return;
      actions.branch(index, forced);
      select(index);
    },
    refusedBecause,
  };
}
