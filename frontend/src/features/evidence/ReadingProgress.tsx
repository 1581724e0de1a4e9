import type { ReactNode } from "react";
import { formatCount } from "@/model/format";
import type { TimelineLens } from "@/reading/lens";
import { Button } from "@/ui/Button";

interface ReadingProgressProps {
  readonly lens: TimelineLens;
  /** What is drawn hatched because it is not read: `columns`. */
  readonly hatched: string;
  /** What stands at the end of the line. */
  readonly children?: ReactNode;
}

/** Positions that take long enough to be worth stopping; for fewer the button would only flash. */
const LONG = 64;

/** How much of the conversation is read. Keeps its line when all is, so that nothing below it moves. */
export function ReadingProgress({
  lens: { read, total, status, cancel, retry },
  hatched,
  children,
}: ReadingProgressProps) {
  return (
    <div className="flex min-h-7 shrink-0 flex-wrap items-center gap-2 px-3 text-cell text-muted">
      <span>
        {formatCount(read)} of {formatCount(total)} positions read
        {status === "deferred" && read < total && "; the others follow when the reply has ended"}
        {status === "awaited" && read < total && "; the others follow when the model is loaded"}
        {status === "unsaved" &&
          read < total &&
          `; the reply failed, so hatched ${hatched} cannot be read until the conversation is opened again`}
        {status === "failed" && `; hatched ${hatched} are not`}
        {status === "cancelled" && `; reading was stopped, hatched ${hatched} are not read`}
      </span>
      {status === "loading" && (
        <progress
          aria-label="Positions read"
          value={read}
          max={total}
          className="h-1.5 w-32 appearance-none overflow-hidden rounded-full bg-sunken [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-sunken [&::-webkit-progress-value]:bg-accent"
        />
      )}
      {status === "loading" && total - read > LONG && (
        <Button size="small" onClick={cancel}>
          Stop reading
        </Button>
      )}
      {status === "cancelled" && (
        <Button size="small" onClick={retry}>
          Read on
        </Button>
      )}
      {children}
    </div>
  );
}
