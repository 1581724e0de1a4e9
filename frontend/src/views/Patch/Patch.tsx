import { Suspense } from "react";
import { NotRead } from "@/features/evidence/NotRead";
import { NothingToRead } from "@/features/evidence/NothingToRead";
import type { ViewProps } from "@/features/evidence/view";
import { PairFrame } from "@/features/pair/PairFrame";
import { useServer } from "@/features/server/server";
import { readability } from "@/reading/readability";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";

export { note } from "./note";

// There is nothing of it to see before B is chosen.
const PatchBody = lazyPart(() => import("./PatchBody"));

const explain = (isPrompt: boolean): string =>
  isPrompt
    ? "Press a word of the message above, type another one, and press Enter. The model replies to the changed prompt, and a map then shows which position, at which layer, carries the one answer over to the other."
    : "Choose above what this conversation is patched with: best one in which a single word of the message differs.";

/** Which word's representation, at which layer, carries the answer from one text to the other. */
export default function Patch({ timeline }: ViewProps) {
  const { model } = useServer();
  if (timeline.tokens.length === 0) {
    return (
      <NothingToRead timeline={timeline}>
        Nothing to patch yet. Send a message first; then change a word of it, and see here which position, at
        which layer, carries the answer from one text to the other.
      </NothingToRead>
    );
  }
  const readable = readability(timeline);
  if (readable !== "ready") {
    return (
      <p role="status" className="m-auto max-w-sm p-6 text-center text-muted">
        <NotRead status={readable} what="Its tokens" />
      </p>
    );
  }
  if (model === null) {
    return <p className="m-auto p-6 text-muted">Waiting for the model…</p>;
  }
  return (
    <PairFrame key={timeline.conversationId} timeline={timeline} model={model} explain={explain}>
      {(_, side) => (
        <ErrorBoundary>
          <Suspense fallback={null}>
            <PatchBody timeline={timeline} model={model} side={side} />
          </Suspense>
        </ErrorBoundary>
      )}
    </PairFrame>
  );
}
