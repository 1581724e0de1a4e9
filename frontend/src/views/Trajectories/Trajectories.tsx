import { useSelection } from "@/context/selection";
import type { ViewProps } from "@/types/timeline";
import { TokenTrajectories } from "./TokenTrajectories";

/** How chosen tokens move over the layers. */
export default function Trajectories({ timeline }: ViewProps) {
  const { index } = useSelection();
  if (index === null || index >= timeline.tokens.length) {
    return (
      <p className="m-auto max-w-sm p-6 text-center text-muted">
        {timeline.tokens.length === 0
          ? "Nothing to read yet. Send a message, then click any token of it or of the reply."
          : "Click any token to see how it and its rivals moved over the layers."}
      </p>
    );
  }
  return <TokenTrajectories timeline={timeline} index={index} />;
}
