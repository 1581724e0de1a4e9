import { Suspense, useMemo, useState } from "react";
import { PairFrame } from "@/features/pair/PairFrame";
import { ReadingB } from "@/features/pair/ReadingB";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { useCompareChoices } from "./choices";

/** Fetched once there is a B: the choice of one needs no grid. */
const AlignedTimelines = lazyPart(() => import("./AlignedTimelines"));

interface ComparisonProps {
  readonly timeline: Timeline;
  readonly model: ModelInfo;
}

const explain = (isPrompt: boolean): string =>
  isPrompt
    ? "Press a word of the message above, type another one, and press Enter. The model replies to the changed prompt, and Compare names the first answer that differs."
    : "Choose above what to compare this conversation with.";

/** The choice of B, and the differences between A and B. */
export function Comparison({ timeline: live, model }: ComparisonProps) {
  const timeline = useSettledTokens(live);
  const choices = useCompareChoices(timeline.conversationId);
  return (
    <PairFrame timeline={timeline} model={model} explain={explain}>
      {({ b, state }, side) => (
        <ErrorBoundary>
          <Suspense fallback={<ReadingB />}>
            <AlignedTimelines
              timeline={timeline}
              model={model}
              state={choices}
              side={side}
              kind={b.kind}
              lensOfB={state.lensB}
              onChangeLens={(lensB) => state.change({ lensB })}
            />
          </Suspense>
        </ErrorBoundary>
      )}
    </PairFrame>
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
