/** The causal map: started, followed while it fills, paused, resumed and cancelled. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ApiError, asApiError } from "@/base/errors";
import { JOB_ACTIONS, startMap } from "@/reading/patching";
import { jobKey, useJob } from "@/reading/useJob";
import type { JobInfo } from "@/types/schemas";
import type { PatchDirection } from "./choices";
import { type PatchTexts, isOfTexts, questionOf } from "./texts";

export interface CausalMap {
  /** Null while there is none of these texts. */
  readonly job: JobInfo | null;
  readonly isStarting: boolean;
  /** Why it could not be started, followed or changed. */
  readonly error: ApiError | null;
  /** Tries again what failed. */
  readonly retry: () => void;
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
  const followed = useJob(jobId);
  const starting = useMutation({
    mutationFn: () => startMap({ kind: "patch_map", site: "resid", ...questionOf(texts, direction) }),
    onSuccess: onStarted,
  });
  const acting = useMutation({
    mutationFn: (action: keyof typeof JOB_ACTIONS) => JOB_ACTIONS[action](jobId ?? ""),
    onSuccess: (job) => queries.setQueryData(jobKey(job.id), job),
  });
  const found = followed.job?.kind === "patch_map" ? followed.job : null;
  const cause = starting.error ?? acting.error ?? followed.error;
  const start = (): void => {
    acting.reset();
    starting.mutate();
  };
  return {
    job: found !== null && isOfTexts(found, texts, direction) ? found : null,
    isStarting: starting.isPending,
    error: cause === null ? null : asApiError(cause),
    retry: () => {
      if (starting.error !== null) start();
      else if (acting.error !== null) acting.reset();
      else followed.retry();
    },
    start,
    act: (action) => acting.mutate(action),
  };
}
