import { TextView } from "@/features/evidence/TextView";
import type { ViewProps } from "@/features/evidence/view";
import { TimelineLayers } from "./TimelineLayers";

export { note } from "./note";

/** The conversation as each layer has it. */
export default function Layers({ timeline }: ViewProps) {
  return (
    <TextView
      timeline={timeline}
      empty="Nothing to read yet. Send a message: its text, and that of the reply, is shown here as each layer predicts it."
    >
      {(model) => <TimelineLayers key={timeline.conversationId} timeline={timeline} model={model} />}
    </TextView>
  );
}
