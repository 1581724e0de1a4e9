/** A job of the server, followed while it is shown. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type ApiError, asApiError } from "@/base/errors";
import type { AnyJob } from "@/types/schemas";
import { followJob } from "./followJob";
import { isOver } from "./patching";

export interface FollowedJob {
  /** Null until the server has said what it is. */
  readonly job: AnyJob | null;
  /** Why it cannot be followed, for now or at all. */
  readonly error: ApiError | null;
  readonly retry: () => void;
}

export const jobKey = (id: string | null) => ["job", id] as const;

export function useJob(id: string | null): FollowedJob {
  const queries = useQueryClient();
  // Filled by the events; several places may show the same job.
  const { data } = useQuery<AnyJob>({
    queryKey: jobKey(id),
    queryFn: () => Promise.reject(new Error("a job is followed, not asked for")),
    enabled: false,
  });
  const [failed, setFailed] = useState<{ readonly id: string; readonly error: ApiError } | null>(null);
  const [attempt, setAttempt] = useState(0);
  const isEnded = data !== undefined && isOver(data);
  useEffect(() => {
    if (id === null || isEnded) return;
    const ending = new AbortController();
    const tell = (error: ApiError | null): void => setFailed(error === null ? null : { id, error });
    followJob(id, ending.signal, {
      onJob: (job) => queries.setQueryData(jobKey(id), job),
      onAway: tell,
    }).catch((cause: unknown) => tell(asApiError(cause)));
    return () => ending.abort();
  }, [id, isEnded, attempt, queries]);
  return {
    job: data ?? null,
    error: failed?.id === id ? failed.error : null,
    retry: () => setAttempt(attempt + 1),
  };
}
