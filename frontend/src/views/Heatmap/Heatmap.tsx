import { TextView } from "@/features/evidence/TextView";
import type { ViewProps } from "@/features/evidence/view";
import { TimelineHeatmap } from "./TimelineHeatmap";

export { note } from "./note";

/** Layers by tokens, for the whole conversation. */
export default function Heatmap({ timeline }: ViewProps) {
  return (
    <TextView
      timeline={timeline}
      empty="Nothing to read yet. Send a message: each of its tokens, and each of the reply, becomes a column here."
    >
      {(model) => <TimelineHeatmap key={timeline.conversationId} timeline={timeline} model={model} />}
    </TextView>
  );
}
