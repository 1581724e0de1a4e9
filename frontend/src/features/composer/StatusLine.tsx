import { memo } from "react";
import { formatRate } from "@/base/amount";
import type { Activity, QueuePlace } from "@/features/chat/chatState";
import { formatCount } from "@/model/format";

interface StatusLineProps {
  readonly usedTokens: number;
  readonly contextLength: number | null;
  readonly rate: number | null;
  readonly activity: Activity;
  /** Its place, where that is known. */
  readonly queued: QueuePlace | null;
  /** That run or wait. */
  readonly jobs: number;
  /** Said instead of "Ready" while nothing can be sent. */
  readonly blocked: string | null;
  /** There is no room for the line: it is only said. */
  readonly isUnseen: boolean;
}

const WORDS: Record<Activity, string> = {
  idle: "Ready",
  queued: "Queued: the model is busy",
  remoteQueued: "Queued on NDIF",
  deploying: "NDIF loads the model…",
  reading: "Reading the prompt…",
  writing: "Writing…",
};

const placeInWords = ({ position, secondsLeft }: QueuePlace): string =>
  `Queued: ${position === 1 ? "next" : `number ${position}`}, about ${Math.max(1, Math.ceil(secondsLeft))} s`;

/** How full the context is, how fast the model writes, and what it does. */
export const StatusLine = memo(function StatusLine(props: StatusLineProps) {
  const { usedTokens, contextLength, rate, activity, queued, jobs, blocked, isUnseen } = props;
  return (
    <div className={isUnseen ? "sr-only" : "mt-1.5 flex h-5 items-center gap-3 text-label text-muted"}>
      {contextLength !== null && (
        <span className="flex items-center gap-2">
          <meter
            aria-label="Context used"
            min={0}
            max={contextLength}
            value={usedTokens}
            className="meter max-sm:hidden"
          />
          {formatCount(usedTokens)} of {formatCount(contextLength)} tokens
        </span>
      )}
      {rate !== null && <span>{formatRate(rate)}</span>}
      {jobs > 0 && <span>{jobs === 1 ? "1 job" : `${jobs} jobs`}</span>}
      <span role="status" className="ml-auto truncate">
        {activity === "idle" && blocked !== null
          ? blocked
          : activity === "queued" && queued !== null
            ? placeInWords(queued)
            : WORDS[activity]}
      </span>
    </div>
  );
});
