import type { ReactNode } from "react";
import { formatCount } from "@/model/format";
import type { ChunkedReading } from "@/reading/chunkedReading";
import { Button } from "@/ui/Button";

interface ReadingProgressProps {
  readonly reading: ChunkedReading & { readonly read: number; readonly total: number };
  /** What is counted: one, and several. */
  readonly unit: readonly [string, string];
  /** What is drawn hatched because it is not read: `columns`. */
  readonly hatched: string;
  /** More missing parts than this take long enough to be worth stopping; for fewer the button would only flash. */
  readonly quick?: number;
  /** What stands at the end of the line. */
  readonly children?: ReactNode;
}

/** How much is read. Keeps its line when all is, so that nothing below it moves. */
export function ReadingProgress({
  reading: { read, total, status, cancel, retry },
  unit: [one, several],
  hatched,
  quick = 64,
  children,
}: ReadingProgressProps) {
  return (
    <div className="flex min-h-7 shrink-0 flex-wrap items-center gap-x-3 gap-y-1 px-3 text-cell text-muted">
      {/* Busy, so that the end of the reading is announced and not each part of it. */}
      <p role="status" aria-busy={status === "loading"}>
        {formatCount(read)} of {formatCount(total)} {total === 1 ? one : several} read
        {status === "deferred" && read < total && "; the others follow when the reply has ended"}
        {status === "awaited" && read < total && "; the others follow when the model is loaded"}
        {status === "unsaved" &&
          read < total &&
          `; the reply failed, so hatched ${hatched} cannot be read until the conversation is opened again`}
        {status === "failed" && `; hatched ${hatched} are not`}
        {status === "cancelled" && `; reading was stopped, hatched ${hatched} are not read`}
      </p>
      {status === "loading" && (
        <progress
          aria-label={`${several.charAt(0).toUpperCase()}${several.slice(1)} read`}
          value={read}
          max={total}
          className="progress w-24"
        />
      )}
      {status === "loading" && total - read > quick && (
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
