import { Button } from "@/components/ui/Button";
import type { Failure } from "@/context/chatState";

interface FailureNoticeProps {
  readonly failure: Failure;
  readonly onRetry: (() => void) | null;
  readonly onStartNew: () => void;
  readonly onDismiss: () => void;
}

/** What went wrong and how to go on, next to where the message was written. */
export function FailureNotice({ failure, onRetry, onStartNew, onDismiss }: FailureNoticeProps) {
  const { error, pending } = failure;
  return (
    <div role="alert" className="mb-2 rounded-control bg-danger-soft px-3 py-2">
      <p className="break-words">
        <span className="font-medium text-danger">Not done. </span>
        {error.message} {error.hint !== null && <span className="text-muted">{error.hint}</span>}
      </p>
      {pending !== null && (
        <p className="text-muted">
          What was written stays in view until you send again; the server keeps nothing of this turn.
        </p>
      )}
      <div className="mt-1.5 flex flex-wrap items-center gap-2">
        {onRetry !== null && (
          <Button icon="redo" onClick={onRetry}>
            Try again
          </Button>
        )}
        {error.code === "conversation_not_found" && <Button onClick={onStartNew}>New conversation</Button>}
        <Button look="quiet" onClick={onDismiss}>
          Dismiss
        </Button>
        <span className="ml-auto font-mono text-cell text-muted">
          {error.code}
          {error.requestId !== null && ` · ${error.requestId}`}
        </span>
      </div>
    </div>
  );
}
