import type { ReactNode } from "react";
import type { TimelineLens } from "@/api/lens";
import { formatCount } from "@/lib/format";

interface ReadingProgressProps {
  readonly lens: TimelineLens;
  /** The model is busy with a reply: what is missing is read afterwards. */
  readonly isBusy: boolean;
  /** What is drawn hatched because it is not read: `columns`. */
  readonly hatched: string;
  /** What stands at the end of the line. */
  readonly children?: ReactNode;
}

/** How much of the conversation is read. Keeps its line when all is, so that nothing below it moves. */
export function ReadingProgress({
  lens: { read, total, isReading },
  isBusy,
  hatched,
  children,
}: ReadingProgressProps) {
  const isComplete = read === total;
  return (
    <div className="flex min-h-7 shrink-0 flex-wrap items-center gap-2 px-3 text-cell text-muted">
      <span>
        {formatCount(read)} of {formatCount(total)} positions read
        {!isComplete && isBusy && "; the others follow when the reply has ended"}
        {!isComplete && !isBusy && !isReading && `; hatched ${hatched} are not`}
      </span>
      {!isComplete && isReading && (
        <progress
          aria-label="Positions read"
          value={read}
          max={total}
          className="h-1.5 w-32 appearance-none overflow-hidden rounded-full bg-sunken [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-sunken [&::-webkit-progress-value]:bg-accent"
        />
      )}
      {children}
    </div>
  );
}
