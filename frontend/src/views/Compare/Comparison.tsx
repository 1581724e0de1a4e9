import { useMemo, useState } from "react";
import { useChat } from "@/features/chat/chat";
import { LensFailure } from "@/features/evidence/LensFailure";
import { NotRead } from "@/features/evidence/NotRead";
import { useBranchFacts } from "@/features/library/library";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import { AlignedTimelines } from "./AlignedTimelines";
import { useCompareChoices } from "./choices";
import { otherBranches, otherKind, otherRequest, withReplyOf } from "./comparison";
import { OtherPicker } from "./OtherPicker";
import { type OtherSideRead, useOtherSide } from "./otherSide";
import { ReplyWriting } from "./ReplyWriting";
import { useReplyWriting } from "./useReplyWriting";

interface ComparisonProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
}

/** What stands beside the conversation, and what comes of it. */
export function Comparison({ timeline: live, model }: ComparisonProps) {
  const timeline = useSettledTokens(live);
  const mode = useChat((chat) => chat.mode);
  const { conversationId } = timeline;
  const state = useCompareChoices(conversationId);
  const facts = useBranchFacts({
    id: conversationId,
    nTokens: timeline.status === "settled" ? timeline.tokens.length : null,
  });
  const branches = useMemo(
    () => otherBranches(facts?.branches ?? [], conversationId),
    [facts, conversationId],
  );
  const kind = otherKind(state.choices, branches);
  const other = useOtherSide(timeline, otherRequest(state.choices, branches, state.text.asked));
  const continues = kind === "prompt" && state.choices.withReply;
  const side = useMemo(
    () => (other.side !== null && continues ? withReplyOf(other.side, timeline) : other.side),
    [other.side, continues, timeline],
  );
  const ownReply = useReplyWriting({ timeline, model, facts, kind, change: state.change });
  return (
    <div className="@container flex min-h-0 flex-1 flex-col overflow-y-auto bg-raised">
      <OtherPicker
        timeline={timeline}
        mode={mode}
        state={state}
        branches={branches}
        ownId={facts?.conversation_id ?? null}
        bos={model.bos_token_id === null ? null : timeline.tokens[0]?.id === model.bos_token_id}
        ownReply={ownReply}
      />
      <ReplyWriting
        beside={conversationId}
        isQueued={ownReply.isQueued}
        onStop={ownReply.stop}
        onRetry={ownReply.retry}
        onTake={ownReply.take}
        onDismiss={ownReply.dismiss}
      />
      {kind === "prompt" && ownReply.isUnderWay ? null : side === null ? (
        <OtherState other={other} isPrompt={kind === "prompt"} />
      ) : (
        <AlignedTimelines timeline={timeline} model={model} state={state} side={side} kind={kind} />
      )}
    </div>
  );
}

/** The tokens stay as they were when nothing was under way: none is compared before, and aligning them costs. */
function useSettledTokens(live: Timeline): Timeline {
  const { tokens, status } = live;
  const [held, setHeld] = useState(tokens);
  if (status === "settled" && held !== tokens) setHeld(tokens);
  return status === "settled" || held === tokens ? live : { ...live, tokens: held };
}

/** B while it is not there. */
function OtherState({ other, isPrompt }: { readonly other: OtherSideRead; readonly isPrompt: boolean }) {
  switch (other.status) {
    case "failed":
      return (
        <div className="p-3">
          {other.error !== null && (
            <LensFailure title="B could not be read." error={other.error} onRetry={other.retry} />
          )}
        </div>
      );
    case "deferred":
    case "unsaved":
      return (
        <p role="status" className="p-3 text-muted">
          <NotRead status={other.status} what="The two timelines" />
        </p>
      );
    case "none":
      return (
        <p className="m-auto max-w-md p-6 text-center text-muted">
          {isPrompt
            ? "Change a word of the message above. Compare reads it as if you had sent it: nothing is written and nothing is saved. Write B’s reply lets the model answer it as it answered A’s, and saves that as a conversation of its own."
            : "Choose above what to compare this conversation with."}
        </p>
      );
    case "loading":
    case "done":
      return (
        <p role="status" className="p-3 text-muted">
          Reading B…
        </p>
      );
  }
}
