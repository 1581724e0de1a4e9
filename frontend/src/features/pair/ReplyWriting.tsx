import { asApiError } from "@/base/errors";
import { LensFailure } from "@/features/evidence/LensFailure";
import { formatCount } from "@/model/format";
import { runningText } from "@/model/runningText";
import { Button, IconButton } from "@/ui/Button";
import { firstClick } from "@/ui/firstClick";
import { samplingWords } from "./replyRequest";
import { type WrittenReply, isUnderWay, useWrittenReply } from "./writtenReply";

interface ReplyWritingProps {
  /** The conversation on the page. */
  readonly beside: string | null;
  /** The model is busy with other requests. */
  readonly isQueued: boolean;
  readonly onStop: () => void;
  readonly onRetry: () => void;
  /** Makes the generated conversation B. */
  readonly onTake: () => void;
  readonly onDismiss: () => void;
}

/** B's own reply: its progress, its text so far, and its end. */
export default function ReplyWriting(props: ReplyWritingProps) {
  const { beside, isQueued, onStop, onRetry, onTake, onDismiss } = props;
  const written = useWrittenReply(beside);
  if (written === null) return null;
  const { reply, request, status } = written;
  const most = request.sampling?.max_new_tokens ?? null;
  const isOpen = isUnderWay(status);
  return (
    <section aria-label="B’s own reply" className="shrink-0 px-3 pt-2">
      {status === "failed" ? (
        <div className="flex items-start gap-1">
          <div className="min-w-0 flex-1">
            <LensFailure title="B’s reply failed." error={asApiError(written.cause)} onRetry={onRetry} />
          </div>
          <IconButton icon="close" label="Dismiss" onClick={onDismiss} />
        </div>
      ) : (
        <div className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1">
          <p role="status">{wordsFor(written, isQueued)}</p>
          {isOpen && most !== null && (
            <>
              <progress
                aria-label="Tokens of B’s reply"
                value={reply.length}
                max={most}
                className="progress w-24"
              />
              <span className="text-cell text-muted">
                {formatCount(reply.length)} of at most {formatCount(most)} tokens
              </span>
            </>
          )}
          {isOpen && (
            <Button icon="stop" disabled={status === "saving"} onClick={firstClick(onStop)}>
              Stop
            </Button>
          )}
          {status === "done" && <Button onClick={onTake}>Compare with it</Button>}
          {!isOpen && <IconButton icon="close" label="Dismiss" onClick={onDismiss} />}
        </div>
      )}
      {isOpen && (
        <>
          <p className="pt-1 text-label text-muted">B’s settings: {samplingWords(request.sampling ?? {})}.</p>
          <p
            dir="auto"
            className="mt-2 max-h-60 min-h-16 overflow-y-auto border-l-2 border-line-strong pl-3 break-words whitespace-pre-wrap"
          >
            {runningText(reply, true)}
          </p>
        </>
      )}
    </section>
  );
}

function wordsFor({ status, reply, conversationId }: WrittenReply, isQueued: boolean): string {
  switch (status) {
    case "sent":
    case "reading":
      return isQueued ? "Queued: the model is busy" : "Reading B’s prompt…";
    case "writing":
      return "Generating B’s reply…";
    case "saving":
      return reply.length === 0 ? "Stopping…" : "Stopped; saving the tokens so far…";
    case "stopped":
      return conversationId === null
        ? "Stopped before anything arrived."
        : "Stopped before the first token arrived.";
    case "failed":
      return "";
    case "done":
      return "B’s reply is complete and saved as a conversation of its own.";
  }
}
