/** A job as it goes on: the server's events, laid over what was known of it. */
import { ownHeaders } from "@/base/client";
import { type ApiError, asApiError, isAbort, isAway } from "@/base/errors";
import { eventData, parsedEvent } from "@/base/eventStream";
import { pause } from "@/base/pause";
import type { AnyJob, JobInfo, JobStreamEvent } from "@/types/schemas";
import { fetchJob, isOver } from "./patching";

const EVENT_TYPES = ["job", "progress", "cells", "done", "error", "cancelled"] as const;
/** Between a connection that was cut and the next one. */
const RECONNECT_MS = 1_000;

interface JobListener {
  readonly onJob: (job: AnyJob) => void;
  /** Called with null once the server answers again. */
  readonly onAway: (error: ApiError | null) => void;
}

/**
 * Follows a job until it is over or `signal` aborts. After a connection that was cut the job is asked for
 * and followed again, so that it also advances where something between page and server cuts every stream.
 * Throws ApiError for what does not pass.
 */
export async function followJob(
  id: string,
  signal: AbortSignal,
  { onJob, onAway }: JobListener,
): Promise<void> {
  let job: AnyJob | null = null;
  let wasCut = false;
  const take = (next: AnyJob): void => {
    job = next;
    onAway(null);
    onJob(next);
  };
  while (!signal.aborted) {
    try {
      if (wasCut) {
        const found = await fetchJob(id, signal);
        take(found);
        if (isOver(found)) return;
      }
      for await (const event of events(id, signal)) {
        const next = afterEvent(job, event) ?? (await fetchJob(id, signal));
        take(next);
        if (isOver(next)) return;
      }
    } catch (error) {
      if (isAbort(error)) return;
      const failure = asApiError(error);
      if (failure.code !== "stream_cut" && !isAway(failure)) throw failure;
      if (failure.code !== "stream_cut") onAway(failure);
      wasCut = true;
    }
    await pause(RECONNECT_MS, signal);
  }
}

async function* events(id: string, signal: AbortSignal): AsyncGenerator<JobStreamEvent> {
  const get = () =>
    fetch(`/api/jobs/${encodeURIComponent(id)}/events`, {
      headers: { Accept: "text/event-stream", ...ownHeaders() },
      signal,
    });
  for await (const data of eventData(get, signal)) yield parsedEvent<JobStreamEvent>(data, EVENT_TYPES);
}

/** The job after an event; null where the event says too little and the job has to be asked for. */
export function afterEvent(job: AnyJob | null, event: JobStreamEvent): AnyJob | null {
  switch (event.type) {
    case "job":
    case "done":
      return event.job;
    case "progress": {
      const { state, progress, seconds_left } = event;
      return job === null ? null : { ...job, state, progress, seconds_left };
    }
    case "cells":
      return job?.kind === "patch_map" ? withCells(job, event.cells) : null;
    case "error":
    case "cancelled":
      return null;
  }
}

type Cells = Extract<JobStreamEvent, { type: "cells" }>["cells"];

function withCells(job: JobInfo, found: Cells): JobInfo {
  const { result } = job;
  const cells = result.cells.map((row) => [...row]);
  const scores = result.scores.map((row) => [...row]);
  let n_done = result.n_done;
  for (const { row, pair, value, score } of found) {
    const [values, ofRow] = [cells[row], scores[row]];
    if (values === undefined || ofRow === undefined) continue;
    if (values[pair] === null) n_done += 1;
    values[pair] = value;
    ofRow[pair] = score;
  }
  return { ...job, result: { ...result, cells, scores, n_done } };
}
