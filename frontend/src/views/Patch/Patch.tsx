import { useState } from "react";
import { useChat } from "@/features/chat/chat";
import { LensFailure } from "@/features/evidence/LensFailure";
import { NotRead } from "@/features/evidence/NotRead";
import { NothingToRead } from "@/features/evidence/NothingToRead";
import type { ViewProps } from "@/features/evidence/view";
import { PairPicker } from "@/features/pair/PairPicker";
import { nameOfB, usePairSide } from "@/features/pair/pairSide";
import { useOwnReply } from "@/features/pair/useOwnReply";
import { useServer } from "@/features/server/server";
import type { Timeline } from "@/model/timeline";
import { readability } from "@/reading/readability";
import type { ModelInfo } from "@/types/schemas";
import { Button } from "@/ui/Button";
import { PatchBody } from "./PatchBody";

export { note } from "./note";

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
  return <PatchPair key={timeline.conversationId} timeline={timeline} model={model} />;
}

/** The choice of B, and the two patched into each other. */
function PatchPair({ timeline, model }: { readonly timeline: Timeline; readonly model: ModelInfo }) {
  const mode = useChat((chat) => chat.mode);
  const pair = usePairSide(timeline);
  const ownReply = useOwnReply(timeline, model, pair);
  const [isChoosing, setIsChoosing] = useState(false);
  const { other, side } = pair;
  const isClosed = side !== null && !isChoosing;
  return (
    <div className="@container flex min-h-0 flex-1 flex-col overflow-y-auto bg-raised">
      <div className="shrink-0 px-3 pt-2">
        {isClosed ? (
          <p className="flex min-w-0 items-center gap-2">
            <span className="min-w-0 truncate">
              <span className="text-muted">A this conversation, B</span>{" "}
              <span className="font-medium">{nameOfB(pair, side.title) ?? pair.text.draft}</span>
            </span>
            <Button look="quiet" className="shrink-0 px-2" onClick={() => setIsChoosing(true)}>
              Change B
            </Button>
          </p>
        ) : (
          <PairPicker
            timeline={timeline}
            mode={mode}
            model={model}
            pair={pair}
            ownReply={ownReply}
            onChosen={() => setIsChoosing(false)}
          />
        )}
      </div>
      {side !== null ? (
        <PatchBody timeline={timeline} model={model} side={side} />
      ) : other.status === "failed" && other.error !== null ? (
        <div className="p-3">
          <LensFailure title="B could not be read." error={other.error} onRetry={other.retry} />
        </div>
      ) : (
        <p role="status" className="p-3 text-muted">
          {other.status === "none"
            ? "Choose above what this conversation is patched with: best a prompt with one word changed, so that the answers differ."
            : "Reading B…"}
        </p>
      )}
    </div>
  );
}
