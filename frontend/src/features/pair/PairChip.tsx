import clsx from "clsx";
import { Suspense } from "react";
import { useChat } from "@/features/chat/chat";
import { Button, IconButton } from "@/ui/Button";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart, patientPart } from "@/ui/lazyPart";
import { Popover } from "@/ui/Popover";
import { isChosen, usePair } from "./pair";
import { usePromptText } from "./promptText";
import { isUnderWay, useReplyStatus } from "./writtenReply";

const PairName = patientPart(() => import("./PairName"));
const PairWindow = lazyPart(() => import("./PairWindow"));

interface PairChipProps {
  /** The open view shows both timelines. */
  readonly isShown: boolean;
  readonly onShowCompare: () => void;
}

/** The pair in the header of the token: what A is compared with, and the way to set, change and end it. */
export function PairChip({ isShown, onShowCompare }: PairChipProps) {
  const conversationId = useChat(({ timeline }) => timeline.conversationId);
  const isEmpty = useChat(({ timeline }) => timeline.tokens.length === 0);
  const { vs: b, end } = usePair(conversationId);
  const [{ asked }] = usePromptText(conversationId);
  const isGenerating = isUnderWay(useReplyStatus(conversationId));
  const isSet = isChosen(b) && (b.kind !== "prompt" || asked !== null || isGenerating);
  const trigger = isSet ? (
    <Button
      look="quiet"
      // Beside the way back the selected token would have no room left for its name.
      className={clsx("min-w-0 bg-accent-soft px-2 text-ink", !isShown && "max-w-28")}
      title="Change what A is compared with"
    >
      <span className="shrink-0 text-muted">vs B</span>
      <ErrorBoundary>
        <Suspense fallback={null}>
          <PairName />
        </Suspense>
      </ErrorBoundary>
    </Button>
  ) : (
    <Button look="quiet" className="shrink-0 px-2">
      Compare with…
    </Button>
  );
  if (isEmpty) return null;
  return (
    <span className="flex min-w-0 items-center">
      <Popover label="Compare with" align="end" trigger={trigger}>
        <Suspense fallback={<p className="text-muted">Opening…</p>}>
          <PairWindow onShowCompare={onShowCompare} />
        </Suspense>
      </Popover>
      {isSet && !isShown && (
        <Button look="quiet" className="shrink-0 px-2" title="This view shows A only" onClick={onShowCompare}>
          A only · Compare
        </Button>
      )}
      {isSet && <IconButton icon="close" label="End the comparison" className="" onClick={end} />}
    </span>
  );
}
