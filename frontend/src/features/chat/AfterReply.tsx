import { Suspense } from "react";
import { AboutBranch } from "@/features/examples/AboutBranch";
import { type Example, workedExample } from "@/features/examples/examples";
import { isUnder } from "@/features/examples/experiment";
import type { SavedConversation } from "@/features/library/conversations";
import { SelectedForYou } from "@/features/selection/SelectedForYou";
import { SelectHint } from "@/features/transcript/SelectHint";
import type { Turn } from "@/model/timeline";
import { hasSource } from "@/reading/source";
import { patientPart } from "@/ui/lazyPart";
import { useChat, useChatActions } from "./chat";
import { ReplyActions } from "./ReplyActions";

const ExperimentResult = patientPart(() => import("@/features/examples/ExperimentResult"));
const ExampleGuide = patientPart(() => import("@/features/examples/ExampleGuide"));

interface AfterReplyProps {
  readonly examples: readonly Example[];
  /** What is saved of the conversation; null until it is there. */
  readonly facts: SavedConversation | null;
  readonly onEdit: (turn: Turn, text: string) => void;
  readonly onShowView: (viewId: string) => void;
}

/** Below a reply that has ended: what can be done with it, and where to look. */
export function AfterReply({ examples, facts, onEdit, onShowView }: AfterReplyProps) {
  const timeline = useChat((chat) => chat.timeline);
  const mode = useChat((chat) => chat.mode);
  const branchedFrom = useChat((chat) => chat.branchedFrom);
  const actions = useChatActions();
  const lastTurn = timeline.turns.at(-1);
  const worked = workedExample(timeline, mode, examples);
  const experiment = worked?.example.experiment ?? null;
  const { conversationId } = timeline;
  /** The branch that the example's text describes. */
  const describedId = facts?.branches[0]?.id ?? branchedFrom?.conversationId ?? null;
  return (
    <>
      {lastTurn !== undefined && hasSource(timeline) && timeline.shipped !== "awaits model" && (
        <ReplyActions
          timeline={timeline}
          turn={lastTurn}
          mode={mode}
          onRegenerate={() => actions.regenerate(lastTurn.replyStart)}
          onContinue={() => actions.writeOn(timeline.tokens.length)}
          onEdit={(text) => onEdit(lastTurn, text)}
        />
      )}
      {worked !== null &&
        describedId !== null &&
        describedId !== conversationId &&
        (experiment !== null && isUnder(experiment, timeline) ? (
          <Suspense fallback={null}>
            <ExperimentResult
              example={worked.example}
              experiment={experiment}
              timeline={timeline}
              originId={describedId}
              onShowView={onShowView}
              onBack={() => actions.reopen(describedId)}
            />
          </Suspense>
        ) : (
          <AboutBranch example={worked.example} onGo={() => actions.reopen(describedId)} />
        ))}
      {worked !== null && (describedId === null || describedId === conversationId) && (
        <Suspense fallback={null}>
          <ExampleGuide
            key={`${conversationId ?? ""} ${worked.token.index}`}
            {...worked}
            timeline={timeline}
            onShowView={onShowView}
          />
        </Suspense>
      )}
      {worked === null && <SelectedForYou timeline={timeline} />}
      {worked === null && <SelectHint />}
    </>
  );
}
