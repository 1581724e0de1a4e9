import { NothingToRead } from "@/features/evidence/NothingToRead";
import type { ViewProps } from "@/features/evidence/view";
import { useServer } from "@/features/server/server";
import { TimelineHeatmap } from "./TimelineHeatmap";

export { note } from "./note";

/** Layers by tokens, for the whole conversation. */
export default function Heatmap({ timeline }: ViewProps) {
  const { model } = useServer();
  if (timeline.tokens.length === 0) {
    return (
      <NothingToRead timeline={timeline}>
        Nothing to read yet. Send a message: each of its tokens, and each of the reply, becomes a column here.
      </NothingToRead>
    );
  }
  if (model === null) {
    return <p className="m-auto p-6 text-muted">Waiting for the model…</p>;
  }
  return <TimelineHeatmap key={timeline.conversationId} timeline={timeline} model={model} />;
}
