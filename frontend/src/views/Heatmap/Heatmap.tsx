import { useServer } from "@/context/server";
import type { ViewProps } from "@/types/timeline";
import { TimelineHeatmap } from "./TimelineHeatmap";

/** Layers by tokens, for the whole conversation. */
export default function Heatmap({ timeline }: ViewProps) {
  const { model } = useServer();
  if (timeline.tokens.length === 0) {
    return (
      <p className="m-auto max-w-sm p-6 text-center text-muted">
        Nothing to read yet. Send a message: each of its tokens, and each of the reply, becomes a column here.
      </p>
    );
  }
  if (model === null) {
    return <p className="m-auto p-6 text-muted">Waiting for the model…</p>;
  }
  return <TimelineHeatmap key={timeline.conversationId} timeline={timeline} model={model} />;
}
