import type { ReactNode } from "react";
import type { Timeline } from "@/model/timeline";

interface NothingToReadProps {
  readonly timeline: Timeline;
  /** What to do where no conversation has begun. */
  readonly children: ReactNode;
}

/** A view while the conversation has no token: none was sent, or they are on their way. */
export function NothingToRead({ timeline, children }: NothingToReadProps) {
  return (
    <p role="status" className="m-auto max-w-sm p-6 text-center text-muted">
      {timeline.status === "waiting" ? "Waiting for the tokens of the conversation…" : children}
    </p>
  );
}
