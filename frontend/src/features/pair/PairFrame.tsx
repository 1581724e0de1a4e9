import { type ReactNode, Suspense, useState } from "react";
import { useChat } from "@/features/chat/chat";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import { Button, IconButton } from "@/ui/Button";
import { lazyPart } from "@/ui/lazyPart";
import type { OtherSide, OtherSideRead } from "./otherSide";
import { PairPicker } from "./PairPicker";
import { type PairSide, nameOfB, usePairSide } from "./pairSide";
import { ReadingB } from "./ReadingB";
import { useOwnReply } from "./useOwnReply";
import { useReplyStatus } from "./writtenReply";

const ReplyWriting = lazyPart(() => import("./ReplyWriting"));

interface PairFrameProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
  /** What to do while no B is chosen; a changed prompt is typed. */
  readonly explain: (isPrompt: boolean) => string;
  /** What the view shows of both once B is there. */
  readonly children: (pair: PairSide, side: OtherSide) => ReactNode;
}

/** The choice of B in a view of two timelines, B's reply while it is generated, and then the view of both. */
export function PairFrame({ timeline, model, explain, children }: PairFrameProps) {
  const mode = useChat((chat) => chat.mode);
  const pair = usePairSide(timeline);
  const ownReply = useOwnReply(timeline, model, pair);
  const [isChoosing, setIsChoosing] = useState(false);
  const { b, other, side } = pair;
  const hasReply = useReplyStatus(timeline.conversationId) !== null;
  const isWaiting = b.kind === "prompt" && ownReply.isUnderWay;
  const name = nameOfB(pair, side?.title ?? null);
  // The form gives its room to what is shown of both once there is any.
  const isClosed = (isWaiting || side !== null) && !isChoosing;
  return (
    <div className="@container flex min-h-0 flex-1 flex-col overflow-y-auto bg-raised">
      <div className="shrink-0 px-3 pt-2">
        {isClosed ? (
          <div className="flex min-w-0 items-center gap-2">
            <p className="min-w-0 truncate">
              <span className="text-muted">
                <span className="@max-md:sr-only">A this conversation,</span> B
              </span>{" "}
              <span className="font-medium">{name ?? pair.text.draft}</span>
              {b.kind === "prompt" && pair.state.reply === "forced" && (
                <span className="text-muted">, then A’s reply</span>
              )}
            </p>
            {/* One more word is the usual next question. */}
            {b.kind === "saved" && pair.text.draft !== null && (
              <Button
                look="quiet"
                className="shrink-0 px-2"
                onClick={() => pair.state.change({ vs: { kind: "prompt" } })}
              >
                Change a word
              </Button>
            )}
            <Button look="quiet" className="shrink-0 px-2" onClick={() => setIsChoosing(true)}>
              Change B
            </Button>
          </div>
        ) : (
          <div className="flex items-start gap-1">
            <div className="min-w-0 flex-1">
              <PairPicker
                timeline={timeline}
                mode={mode}
                model={model}
                pair={pair}
                ownReply={ownReply}
                onChosen={() => setIsChoosing(false)}
              />
            </div>
            {side !== null && <IconButton icon="close" label="Keep B" onClick={() => setIsChoosing(false)} />}
          </div>
        )}
      </div>
      {hasReply && (
        <Suspense fallback={null}>
          <ReplyWriting
            beside={timeline.conversationId}
            isQueued={ownReply.isQueued}
            onStop={ownReply.stop}
            onRetry={ownReply.retry}
            onTake={ownReply.take}
            onDismiss={ownReply.dismiss}
          />
        </Suspense>
      )}
      {isWaiting ? null : side === null ? (
        <OtherState other={other} explanation={explain(b.kind === "prompt")} />
      ) : (
        children(pair, side)
      )}
    </div>
  );
}

/** B while it is not there. */
function OtherState({ other, explanation }: { readonly other: OtherSideRead; readonly explanation: string }) {
  if (other.status === "none") {
    return <p className="m-auto max-w-md p-6 text-center text-muted">{explanation}</p>;
  }
  return (
    <ReadingFrame reading={other} what="The tokens of B" hasData={false}>
      <ReadingB />
    </ReadingFrame>
  );
}
