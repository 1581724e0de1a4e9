/** The causal map: started, followed while it fills, paused, resumed and cancelled. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ApiError, asApiError } from "@/base/errors";
import { JOB_ACTIONS, fetchJob, isOver, startMap } from "@/reading/patching";
import type { JobInfo } from "@/types/schemas";
import type { PatchDirection } from "./choices";
import { type PatchTexts, isOfTexts, questionOf } from "./texts";

const FOLLOW_MS = 400;

export interface CausalMap {
  /** Null while there is none of these texts. */
  readonly job: JobInfo | null;
  readonly isStarting: boolean;
  /** Why it could not be started, followed or changed. */
  readonly error: ApiError | null;
  readonly start: () => void;
  readonly act: (action: keyof typeof JOB_ACTIONS) => void;
}

export function useMap(
  texts: PatchTexts,
  direction: PatchDirection,
  jobId: string | null,
  onStarted: (id: string) => void,
): CausalMap {
  const queries = useQueryClient();
  const key = ["job", jobId];
  const followed = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => fetchJob(jobId ?? "", signal),
    enabled: jobId !== null,
    retry: false,
    refetchInterval: ({ state: { data } }) => (data === undefined || isOver(data) ? false : FOLLOW_MS),
  });
  const starting = useMutation({
    mutationFn: () => startMap({ kind: "patch_map", site: "resid", ...questionOf(texts, direction) }),
    onSuccess: onStarted,
  });
  const acting = useMutation({
    mutationFn: (action: keyof typeof JOB_ACTIONS) => JOB_ACTIONS[action](jobId ?? ""),
    onSuccess: (job) => queries.setQueryData(key, job),
  });
  const found = followed.data ?? null;
  const cause = starting.error ?? acting.error ?? followed.error;
  return {
    job: found !== null && isOfTexts(found, texts, direction) ? found : null,
    isStarting: starting.isPending,
    error: cause === null ? null : asApiError(cause),
    start: () => {
      acting.reset();
      starting.mutate();
    },
    act: (action) => acting.mutate(action),
  };
}
