/** The lens that is being fitted to the running model, or was fitted last. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { call, client, unwrap } from "@/base/client";
import { type ApiError, asApiError } from "@/base/errors";
import { JOB_ACTIONS, fetchJobs } from "@/reading/patching";
import { jobKey, useJob } from "@/reading/useJob";
import type { FitJob, FitLensRequest, ModelInfo } from "@/types/schemas";

export interface Fit {
  readonly job: FitJob | null;
  /** Not known yet whether there is one. */
  readonly isReading: boolean;
  readonly isStarting: boolean;
  readonly error: ApiError | null;
  readonly start: (request: FitLensRequest) => void;
  readonly act: (action: keyof typeof JOB_ACTIONS) => void;
}

export function useFit(model: ModelInfo | null): Fit {
  const queries = useQueryClient();
  const latest = useQuery({
    queryKey: ["jobs", "fit", model?.revision],
    queryFn: async ({ signal }) => {
      const jobs = await fetchJobs(signal);
      return (
        jobs.find(
          ({ kind, model_identity }) => kind === "fit_lens" && model_identity.revision === model?.revision,
        )?.id ?? null
      );
    },
    enabled: model !== null,
    retry: false,
    staleTime: 0,
  });
  const id = latest.data ?? null;
  const followed = useJob(id);
  const starting = useMutation({
    mutationFn: async (body: FitLensRequest) =>
      unwrap(await call(() => client.POST("/api/jobs", { body }))).id,
    onSuccess: (started) => queries.setQueryData(["jobs", "fit", model?.revision], started),
  });
  const acting = useMutation({
    mutationFn: (action: keyof typeof JOB_ACTIONS) => JOB_ACTIONS[action](id ?? ""),
    onSuccess: (job) => queries.setQueryData(jobKey(job.id), job),
  });
  const job = followed.job?.kind === "fit_lens" ? followed.job : null;
  const isInUse = job?.result.verdict?.is_in_use === true;
  useEffect(() => {
    // The model has a lens more.
    if (isInUse) void queries.invalidateQueries({ queryKey: ["model_info"] });
  }, [isInUse, queries]);
  const cause = starting.error ?? acting.error ?? latest.error ?? followed.error;
  return {
    job,
    isReading: latest.isPending || (id !== null && job === null && followed.error === null),
    isStarting: starting.isPending,
    error: cause === null ? null : asApiError(cause),
    start: (request) => {
      acting.reset();
      starting.mutate(request);
    },
    act: (action) => acting.mutate(action),
  };
}
