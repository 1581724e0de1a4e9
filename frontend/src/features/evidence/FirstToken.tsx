import type { Timeline } from "@/model/timeline";
import { Button } from "@/ui/Button";
import { QuotedToken } from "@/ui/TokenText";

interface FirstTokenProps {
  readonly timeline: Timeline;
  readonly onShowNext: () => void;
}

/** Stands where the first token's prediction would: there is none. */
export function FirstToken({ timeline, onShowNext }: FirstTokenProps) {
  const first = timeline.tokens[0];
  return (
    <div className="m-auto flex max-w-sm flex-col items-center gap-3 p-6 text-center text-muted">
      <p>
        {first !== undefined && <QuotedToken token={first} />} is the first token: nothing came before it, so
        nothing predicted it.
      </p>
      <Button onClick={onShowNext}>Show what it predicts</Button>
    </div>
  );
}
