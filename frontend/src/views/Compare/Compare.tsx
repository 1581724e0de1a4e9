import { NotRead } from "@/features/evidence/NotRead";
import { TextView } from "@/features/evidence/TextView";
import type { ViewProps } from "@/features/evidence/view";
import { readability } from "@/reading/readability";
import { Comparison } from "./Comparison";

export { note } from "./note";

/** The conversation beside another timeline, or beside itself at other layers. */
export default function Compare({ timeline }: ViewProps) {
  return (
    <TextView
      timeline={timeline}
      empty="Nothing to compare yet. Send a message first; then change a word of it, or take another branch or layer, and see here where the predictions differ."
    >
      {(model) =>
        readability(timeline) === "unsaved" ? (
          <p role="status" className="m-auto max-w-sm p-6 text-center text-muted">
            <NotRead status="unsaved" what="Its tokens" />
          </p>
        ) : (
          <Comparison key={timeline.conversationId} timeline={timeline} model={model} />
        )
      }
    </TextView>
  );
}
