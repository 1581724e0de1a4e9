import { useQuery } from "@tanstack/react-query";
import { useChat, useChatActions, useChatNow } from "@/features/chat/chat";
import { showView } from "@/features/evidence/showView";
import { fetchConversation } from "@/features/library/conversations";
import { useBranchFacts } from "@/features/library/library";
import { usePair } from "@/features/pair/pair";
import { useSelection } from "@/features/selection/selection";
import { useServer } from "@/features/server/server";
import type { Intervention, Timeline } from "@/model/timeline";
import { Button } from "@/ui/Button";
import { Refusable } from "@/ui/Refusable";
import { Replies } from "./Replies";

interface SteeredReplyProps {
  readonly timeline: Timeline;
  /** Null while something is still to be chosen. */
  readonly interventions: readonly Intervention[] | null;
}

/** Writes the reply under what is chosen, as a branch, and shows it beside the one that it left. */
export function SteeredReply({ timeline, interventions }: SteeredReplyProps) {
  const isReplying = useChat(({ pending }) => pending !== null);
  const { conversationId, steering, turns } = timeline;
  const { phase } = useServer();
  const chatNow = useChatNow();
  const actions = useChatActions();
  const last = turns.at(-1);
  const refusedBecause = isReplying
    ? "A reply is being written"
    : conversationId === null
      ? "The conversation is being saved"
      : last === undefined
        ? "There is no reply yet"
        : phase !== "ready" && phase !== "stalled"
          ? "The model is not ready"
          : interventions === null
            ? "Choose a token first"
            : null;
  const write = (under: readonly Intervention[]): void => {
    const turn = chatNow().timeline.turns.at(-1);
    if (turn !== undefined)
      actions.steer(turn.replyStart, under, turn.seed === null ? {} : { seed: turn.seed });
  };
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line px-3 py-2">
        <Refusable because={refusedBecause}>
          <Button look="primary" icon="branch" onClick={() => interventions !== null && write(interventions)}>
            Write the reply
          </Button>
        </Refusable>
        {steering !== undefined && (
          <Refusable because={isReplying ? refusedBecause : null}>
            <Button onClick={() => write([])}>Write it plainly</Button>
          </Refusable>
        )}
        <p className="min-w-0 flex-1 basis-56 text-label text-muted">
          As a branch, with the seed of this reply and the sampling settings below the message. This branch
          stays as it is.
        </p>
      </div>
      {steering !== undefined && <BesideOrigin timeline={timeline} />}
    </>
  );
}

/** The reply beside that of the branch which it left. */
function BesideOrigin({ timeline }: { readonly timeline: Timeline }) {
  const { conversationId, tokens, turns, status } = timeline;
  const { select } = useSelection();
  const pair = usePair(conversationId);
  const branchedFrom = useChat((chat) => chat.branchedFrom);
  const facts = useBranchFacts({
    id: conversationId,
    nTokens: status === "settled" ? tokens.length : null,
  });
  const parentId =
    facts?.branches.find(({ id }) => id === conversationId)?.parent_id ??
    branchedFrom?.conversationId ??
    null;
  const { data: origin } = useQuery({
    queryKey: ["conversation of a branch", parentId],
    queryFn: ({ signal }) => fetchConversation(parentId ?? "", true, signal),
    enabled: parentId !== null,
    refetchOnWindowFocus: false,
  });
  if (parentId === null || origin === undefined) return null;
  const start = turns.at(-1)?.replyStart ?? 0;
  return (
    <Replies
      plain={origin.tokens}
      steered={tokens}
      start={start}
      names={{
        plain: origin.steering === null ? "Plain model" : "The branch that it left, also steered",
        steered: "With the change",
      }}
      onSelect={select}
      onCompare={
        status === "settled"
          ? () => {
              pair.change({ vs: { kind: "branch", id: parentId } });
              showView("compare");
            }
          : null
      }
    />
  );
}
