import type { Timeline } from "@/model/timeline";
import { NothingToRead } from "./NothingToRead";

interface NothingSelectedProps {
  readonly timeline: Timeline;
  /** What a selected token shows here, after "Select any token to see". */
  readonly shows: string;
}

/** A view of one token while none is selected, or while there is none. */
export function NothingSelected({ timeline, shows }: NothingSelectedProps) {
  if (timeline.tokens.length === 0) {
    return (
      <NothingToRead timeline={timeline}>
        Nothing to read yet. Send a message, then select any token of it or of the reply.
      </NothingToRead>
    );
  }
  return <p className="m-auto max-w-sm p-6 text-center text-muted">Select any token to see {shows}.</p>;
}
