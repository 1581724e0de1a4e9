import type { ReactNode } from "react";
import { type OpenView, useViewExport } from "@/features/export/useViewExport";
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
  /** The finding. */
  readonly title?: ReactNode;
  /** What can be chosen of the drawing. */
  readonly controls?: ReactNode;
  /** How far a reading in parts is, with what stops it and goes on: below what is drawn of it. */
  readonly progress?: ReactNode;
  /** What is selected, in full. */
  readonly detail?: ReactNode;
  /** How the drawing reads. */
  readonly caption?: ReactNode;
  /** Of a whole view; left out by what is a part of one. */
  readonly exports?: OpenView;
}

/**
 * Draws every state of a reading, from top to bottom: finding, choices, what went wrong, the drawing, how far it is,
 * the details, the caption. Exports what is drawn.
 */
export function ReadingFrame(props: ReadingFrameProps) {
  const { reading, what, hasData, children, progress, exports } = props;
  const { status, error, retry } = reading;
  const isInParts = progress !== undefined;
  return (
    <>
      {exports !== undefined && <Published {...exports} />}
      {props.title}
      {props.controls}
      {status === "failed" && error !== null && (
        <div className="shrink-0 p-3">
          <LensFailure
            title={`${what} could not be read${isInParts && hasData ? " in full" : ""}.`}
            error={error}
            onRetry={retry}
          />
        </div>
      )}
      {status === "cancelled" && !(isInParts && hasData) && (
        <div className="flex shrink-0 items-center gap-3 p-3 text-muted">
          <p role="status">
            Reading was stopped; {hasData ? "some of it is not read" : "nothing is read yet"}.
          </p>
          <Button onClick={retry}>Read on</Button>
        </div>
      )}
      {!hasData && (status === "awaited" || status === "deferred" || status === "unsaved") && (
        <p role="status" className="shrink-0 p-3 text-muted">
          <NotRead status={status} what={what} />
        </p>
      )}
      {(hasData || status === "loading") && children}
      {hasData && progress}
      {hasData && props.detail}
      {hasData && props.caption}
    </>
  );
}

function Published({ viewExport, commands }: OpenView) {
  useViewExport(viewExport, commands);
  return null;
}
