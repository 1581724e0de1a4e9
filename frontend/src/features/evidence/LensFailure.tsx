import { useEffect, useRef } from "react";
import { type ApiError, isAway } from "@/base/errors";
import { useServer } from "@/features/server/server";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";

interface LensFailureProps {
  readonly title: string;
  readonly error: ApiError;
  readonly onRetry: () => void;
}

/**
 * A read-out that failed: the cause and how to go on. Where the server was away, which the banner says,
 * it is only a quiet line, and the read-out is asked for again once the server is back.
 */
export function LensFailure({ title, error, onRetry }: LensFailureProps) {
  const { phase } = useServer();
  const isWaiting = isAway(error) && phase !== "ready";
  const retry = useRef(onRetry);
  const wasWaiting = useRef(false);
  useEffect(() => {
    retry.current = onRetry;
  });
  useEffect(() => {
    if (wasWaiting.current && !isWaiting) retry.current();
    wasWaiting.current = isWaiting;
  }, [isWaiting]);
  if (isWaiting) {
    return (
      <p role="status" className="text-muted">
        {title} It is tried again once the server responds.
      </p>
    );
  }
  return (
    <div
      role="alert"
      className="flex items-start gap-2 rounded-control border border-danger bg-danger-soft p-3"
    >
      <Icon name="warning" className="mt-0.5 text-danger" />
      <div className="min-w-0 flex-1">
        <p className="font-medium text-danger">{title}</p>
        <p>{error.message}</p>
        {error.hint !== null && <p className="text-muted">{error.hint}</p>}
        <details className="text-label text-muted">
          <summary>Details</summary>
          Code <code className="font-mono">{error.code}</code>
          {error.requestId !== null && (
            <>
              , request <code className="font-mono">{error.requestId}</code>
            </>
          )}
        </details>
      </div>
      <Button icon="redo" onClick={onRetry}>
        Retry
      </Button>
    </div>
  );
}
