/** One thing that was asked of the server besides the conversation, and what it failed with. */
import { useCallback, useMemo, useState } from "react";
import { type ApiError, asApiError } from "@/base/errors";

interface FailedAttempt {
  /** What did not happen, as a sentence. */
  readonly what: string;
  readonly error: ApiError;
}

export interface Attempts {
  readonly failed: FailedAttempt | null;
  /** Forgets the last failure and does the work; `what` is said when it fails. */
  readonly attempt: (what: string, work: () => Promise<void>) => void;
  readonly dismiss: () => void;
}

export function useAttempts(): Attempts {
  const [failed, setFailed] = useState<FailedAttempt | null>(null);
  const [, setCrash] = useState<never>();
  const attempt = useCallback((what: string, work: () => Promise<void>) => {
    setFailed(null);
    work().catch((reason: unknown) => {
      try {
        setFailed({ what, error: asApiError(reason) });
      } catch (defect) {
        setCrash(() => {
          throw defect; // in render, where the error boundary sees it
        });
      }
    });
  }, []);
  const dismiss = useCallback(() => setFailed(null), []);
  return useMemo(() => ({ failed, attempt, dismiss }), [failed, attempt, dismiss]);
}
