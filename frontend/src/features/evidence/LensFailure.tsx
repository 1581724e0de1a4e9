import type { ApiError } from "@/base/errors";
import { Button } from "@/ui/Button";
import { Icon } from "@/ui/Icon";

interface LensFailureProps {
  readonly title: string;
  readonly error: ApiError;
  readonly onRetry: () => void;
}

/** A read-out that failed: what, why, and how to go on. */
export function LensFailure({ title, error, onRetry }: LensFailureProps) {
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
        <p className="text-label text-muted">
          Code <code className="font-mono">{error.code}</code>
          {error.requestId !== null && (
            <>
              , request <code className="font-mono">{error.requestId}</code>
            </>
          )}
        </p>
      </div>
      <Button icon="redo" onClick={onRetry}>
        Retry
      </Button>
    </div>
  );
}
