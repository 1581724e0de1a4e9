import { useServer } from "@/context/server";
import type { ViewProps } from "@/types/timeline";
import { Comparison } from "./Comparison";

/** The conversation beside another timeline, or beside itself at other layers. */
export default function Compare({ timeline }: ViewProps) {
  const { model } = useServer();
  if (timeline.tokens.length === 0) {
    return (
      <p className="m-auto max-w-sm p-6 text-center text-muted">
        Nothing to compare yet. Send a message first: then put it differently, take another branch or another
        layer, and see here where the predictions part.
      </p>
    );
  }
  if (timeline.status === "settled" && timeline.conversationId === null) {
    return (
      <p className="m-auto max-w-sm p-6 text-center text-muted">
        The reply failed and was not saved, so its tokens cannot be read. Put the failure away in the
        conversation, then compare.
      </p>
    );
  }
  if (model === null) {
    return <p className="m-auto p-6 text-muted">Waiting for the model…</p>;
  }
  return <Comparison key={timeline.conversationId} timeline={timeline} model={model} />;
}
