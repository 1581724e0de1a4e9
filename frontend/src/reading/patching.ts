/** Patched runs, and maps of them: one request, or a job that is followed. */
import { call, client, unwrap } from "@/base/client";
import { withLosslessText } from "@/model/losslessTexts";
import type { ModelIdentity } from "@/model/timeline";
import type { AnyJob, JobSummary, PatchMapRequest, PatchRequest, PatchResponse } from "@/types/schemas";
import { ofModel } from "./requests";

/** A patched run of `model`; that of another one is refused. */
export async function fetchPatch(
  body: PatchRequest,
  model: ModelIdentity | null,
  signal: AbortSignal,
): Promise<PatchResponse> {
  const answer = ofModel(unwrap(await call(() => client.POST("/api/patch", { body, signal }))), model);
  const { clean, corrupt, patched } = answer.predictions;
  return {
    ...answer,
    answer: withLosslessText(answer.answer),
    foil: withLosslessText(answer.foil),
    predictions: {
      clean: clean.map(withLosslessText),
      corrupt: corrupt.map(withLosslessText),
      patched: patched.map(withLosslessText),
    },
  };
}

/** The id of a new job. */
export async function startMap(body: PatchMapRequest): Promise<string> {
  return unwrap(await call(() => client.POST("/api/jobs", { body }))).id;
}

export async function fetchJob(id: string, signal: AbortSignal): Promise<AnyJob> {
  return unwrap(
    await call(() => client.GET("/api/jobs/{job_id}", { params: { path: { job_id: id } }, signal })),
  );
}

/** The newest first. */
export async function fetchJobs(signal: AbortSignal): Promise<readonly JobSummary[]> {
  return unwrap(await call(() => client.GET("/api/jobs", { signal }))).jobs;
}

const pathOf = (id: string) => ({ params: { path: { job_id: id } } });

export const JOB_ACTIONS = {
  pause: async (id: string) => unwrap(await call(() => client.POST("/api/jobs/{job_id}/pause", pathOf(id)))),
  resume: async (id: string) =>
    unwrap(await call(() => client.POST("/api/jobs/{job_id}/resume", pathOf(id)))),
  cancel: async (id: string) => unwrap(await call(() => client.DELETE("/api/jobs/{job_id}", pathOf(id)))),
} as const;

/** Whether nothing of a job changes any more. */
export const isOver = ({ state }: Pick<JobSummary, "state">): boolean =>
  state === "done" || state === "error" || state === "cancelled" || state === "lost";
