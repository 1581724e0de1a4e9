import { NothingToRead } from "@/features/evidence/NothingToRead";
import type { ViewProps } from "@/features/evidence/view";
import { useServer } from "@/features/server/server";
import { TimelineLayers } from "./TimelineLayers";

export { note } from "./note";

/** The conversation as each layer has it. */
export default function Layers({ timeline }: ViewProps) {
  const { model } = useServer();
  if (timeline.tokens.length === 0) {
    return (
      <NothingToRead timeline={timeline}>
        Nothing to read yet. Send a message: its text, and that of the reply, is shown here as each layer
        predicts it.
      </NothingToRead>
    );
  }
  if (model === null) {
    return <p className="m-auto p-6 text-muted">Waiting for the model…</p>;
  }
  return <TimelineLayers key={timeline.conversationId} timeline={timeline} model={model} />;
}
