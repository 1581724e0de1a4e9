import { Button } from "@/ui/Button";
import type { Failure } from "./chatState";

interface FailureNoticeProps {
  readonly failure: Failure;
  readonly onRetry: (() => void) | null;
  readonly onStartNew: () => void;
  readonly onDismiss: () => void;
}

/** The state of the turn after the failure. */
const OUTCOMES: Record<Failure["during"], string | null> = {
  opening: null,
  request: null,
  reply: "The text so far is kept; the reply can be continued or generated again.",
  lost: "The server no longer has this conversation. Your next message begins a new one.",
};

/** The failure of a request, beside the composer, and the ways to go on. */
export function FailureNotice({ failure, onRetry, onStartNew, onDismiss }: FailureNoticeProps) {
  const { error, during } = failure;
  const outcome = OUTCOMES[during];
  return (
    <div role="alert" className="mb-2 rounded-control bg-danger-soft px-3 py-2">
      <p className="break-words">
        <span className="font-medium text-danger">
          {during === "reply" ? "Interrupted. " : "Request failed. "}
        </span>
        {error.message} {error.hint !== null && <span className="text-muted">{error.hint}</span>}
      </p>
      {outcome !== null && <p className="text-muted">{outcome}</p>}
      <div className="mt-1.5 flex flex-wrap items-center gap-2">
        {onRetry !== null && (
          <Button icon="redo" onClick={onRetry}>
            Retry
          </Button>
        )}
        {error.code === "conversation_not_found" && <Button onClick={onStartNew}>New conversation</Button>}
        <Button look="quiet" onClick={onDismiss}>
          Dismiss
        </Button>
        <details className="ml-auto text-cell text-muted">
          <summary className="cursor-pointer text-right">Details</summary>
          <span className="font-mono break-all">
            {error.code}
            {error.requestId !== null && ` · ${error.requestId}`}
          </span>
        </details>
      </div>
    </div>
  );
}
