import type { ApiError } from "@/base/errors";
import { Button, IconButton } from "./Button";

interface FailedNoticeProps {
  readonly what: string;
  readonly error: ApiError;
  /** Does it once more, where that can help. */
  readonly onRetry?: () => void;
  readonly onDismiss: () => void;
}

/** A failure outside the conversation, with its cause. */
export function FailedNotice({ what, error, onRetry, onDismiss }: FailedNoticeProps) {
  return (
    <div role="alert" className="flex items-start gap-1 rounded-control bg-danger-soft py-2 pr-1 pl-3">
      <p className="min-w-0 flex-1 break-words">
        <span className="font-medium text-danger">{what} </span>
        {error.message} {error.hint !== null && <span className="text-muted">{error.hint}</span>}
      </p>
      {onRetry !== undefined && (
        <Button look="quiet" className="px-2 text-accent" onClick={onRetry}>
          Retry
        </Button>
      )}
      <IconButton icon="close" label="Dismiss" onClick={onDismiss} />
    </div>
  );
}
