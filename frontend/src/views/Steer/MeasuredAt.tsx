import type { Timeline } from "@/model/timeline";
import { QuotedToken } from "@/ui/TokenText";

interface MeasuredAtProps {
  readonly timeline: Timeline;
  readonly index: number;
}

/** Where the probabilities are read. */
export function MeasuredAt({ timeline: { tokens }, index }: MeasuredAtProps) {
  const token = tokens[index];
  return (
    <p className="text-label text-muted">
      Read at index {index - 1}, predicts index {index}
      {token !== undefined && (
        <>
          {" "}
          (<QuotedToken token={token} /> here)
        </>
      )}
      . Select another token of the reply to measure there.
    </p>
  );
}
