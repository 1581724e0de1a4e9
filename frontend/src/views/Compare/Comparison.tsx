import { Suspense, useMemo, useState } from "react";
import { useChat } from "@/features/chat/chat";
import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import type { OtherSideRead } from "@/features/pair/otherSide";
import { PairPicker } from "@/features/pair/PairPicker";
import { nameOfB, usePairSide } from "@/features/pair/pairSide";
import { useOwnReply } from "@/features/pair/useOwnReply";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import { Button, IconButton } from "@/ui/Button";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { useCompareChoices } from "./choices";
import { ReplyWriting } from "./ReplyWriting";

/** Fetched once there is a B: the choice of one needs no grid. */
const AlignedTimelines = lazyPart(() => import("./AlignedTimelines"));

interface ComparisonProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
}

/** The choice of B, and the differences between A and B. */
export function Comparison({ timeline: live, model }: ComparisonProps) {
  const timeline = useSettledTokens(live);
  const mode = useChat((chat) => chat.mode);
  const choices = useCompareChoices(timeline.conversationId);
  const pair = usePairSide(timeline);
  const ownReply = useOwnReply(timeline, model, pair);
  const [isChoosing, setIsChoosing] = useState(false);
  const { b, other, side } = pair;
  const isWaiting = b.kind === "prompt" && ownReply.isUnderWay;
  const name = nameOfB(pair, side?.title ?? null);
  // The form gives its room to the differences once there are any.
  const isClosed = (isWaiting || side !== null) && !isChoosing;
  return (
    <div className="@container flex min-h-0 flex-1 flex-col overflow-y-auto bg-raised">
      <div className="shrink-0 px-3 pt-2">
        {isClosed ? (
          <div className="flex min-w-0 items-center gap-2">
            <p className="min-w-0 truncate">
              <span className="text-muted">A this conversation, B</span>{" "}
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
      <ReplyWriting
        beside={timeline.conversationId}
        isQueued={ownReply.isQueued}
        onStop={ownReply.stop}
        onRetry={ownReply.retry}
        onTake={ownReply.take}
        onDismiss={ownReply.dismiss}
      />
      {isWaiting ? null : side === null ? (
        <OtherState other={other} isPrompt={b.kind === "prompt"} />
      ) : (
        <ErrorBoundary>
          <Suspense fallback={<ReadingB />}>
            <AlignedTimelines
              timeline={timeline}
              model={model}
              state={choices}
              side={side}
              kind={b.kind}
              lensOfB={pair.state.lensB}
              onChangeLens={(lensB) => pair.state.change({ lensB })}
            />
          </Suspense>
        </ErrorBoundary>
      )}
    </div>
  );
}

/** The tokens of the last settled state: none is compared while a reply is generated, and aligning them costs. */
function useSettledTokens(live: Timeline): Timeline {
  const { tokens, status } = live;
  const [held, setHeld] = useState(tokens);
  if (status === "settled" && held !== tokens) setHeld(tokens);
  return useMemo(
    () => (status === "settled" || held === tokens ? live : { ...live, tokens: held }),
    [live, status, held, tokens],
  );
}

/** B while it is not there. */
function OtherState({ other, isPrompt }: { readonly other: OtherSideRead; readonly isPrompt: boolean }) {
  if (other.status === "none") {
    return (
      <p className="m-auto max-w-md p-6 text-center text-muted">
        {isPrompt
          ? "Press a word of the message above, type another one, and press Enter. The model replies to the changed prompt, and Compare opens on the first answer that differs."
          : "Choose above what to compare this conversation with."}
      </p>
    );
  }
  return (
    <ReadingFrame reading={other} what="The tokens of B" hasData={false}>
      <ReadingB />
    </ReadingFrame>
  );
}

function ReadingB() {
  return (
    <p role="status" className="p-3 text-muted">
      Reading B…
    </p>
  );
}
