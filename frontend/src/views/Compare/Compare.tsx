import { NothingToRead } from "@/features/evidence/NothingToRead";
import { NotRead } from "@/features/evidence/NotRead";
import type { ViewProps } from "@/features/evidence/view";
import { useServer } from "@/features/server/server";
import { readability } from "@/reading/readability";
import { Comparison } from "./Comparison";

export { note } from "./note";

/** The conversation beside another timeline, or beside itself at other layers. */
export default function Compare({ timeline }: ViewProps) {
  const { model } = useServer();
  if (timeline.tokens.length === 0) {
    return (
      <NothingToRead timeline={timeline}>
        Nothing to compare yet. Send a message first; then change a word of it, or take another branch or
        layer, and see here where the predictions differ.
      </NothingToRead>
    );
  }
  if (readability(timeline) === "unsaved") {
    return (
      <p role="status" className="m-auto max-w-sm p-6 text-center text-muted">
        <NotRead status="unsaved" what="Its tokens" />
      </p>
    );
  }
  if (model === null) {
    return <p className="m-auto p-6 text-muted">Waiting for the model…</p>;
  }
  return <Comparison key={timeline.conversationId} timeline={timeline} model={model} />;
}
