import type { ReactNode } from "react";
import type { ReadState } from "@/reading/readState";
import { Button } from "@/ui/Button";
import { LensFailure } from "./LensFailure";
import { NotRead } from "./NotRead";

interface ReadingFrameProps {
  readonly reading: ReadState;
  /** What is read, as the plural subject of a sentence: "The layers of this token". */
  readonly what: string;
  /** Some of it is there, and drawn in every state. */
  readonly hasData: boolean;
  /** Draws what is there; while nothing is and it is being read, a stand-in for it. */
  readonly children: ReactNode;
}

/** Draws every state of a reading: what is there, and why the rest is not. */
export function ReadingFrame({ reading, what, hasData, children }: ReadingFrameProps) {
  const { status, error, retry } = reading;
  return (
    <>
      {status === "failed" && error !== null && (
        <div className="p-3">
          <LensFailure title={`${what} could not be read.`} error={error} onRetry={retry} />
        </div>
      )}
      {status === "cancelled" && (
        <div className="flex items-center gap-3 p-3 text-muted">
          <p role="status">
            Reading was stopped; {hasData ? "some of it is not read" : "nothing is read yet"}.
          </p>
          <Button onClick={retry}>Read on</Button>
        </div>
      )}
      {!hasData && (status === "awaited" || status === "deferred" || status === "unsaved") && (
        <p role="status" className="p-3 text-muted">
          <NotRead status={status} what={what} />
        </p>
      )}
      {(hasData || status === "loading") && children}
    </>
  );
}
