import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { asApiError } from "@/base/errors";
import { goTo } from "@/features/address/goTo";
import { JOB_ACTIONS, fetchJobs, isOver } from "@/reading/patching";
import { jobKey } from "@/reading/useJob";
import type { JobSummary } from "@/types/schemas";
import { Button } from "@/ui/Button";
import { hasView, jobAddress } from "./jobAddress";

const FOLLOW_MS = 1_000;
const LIST = ["jobs"] as const;

/** What takes longer than an answer: how far each job is, and what can be done with it. */
export default function JobList({ shownId }: { readonly shownId: string | null }) {
  const queries = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: LIST,
    queryFn: ({ signal }) => fetchJobs(signal),
    retry: false,
    staleTime: 0,
    refetchInterval: ({ state }) => (state.data?.every(isOver) === false ? FOLLOW_MS : false),
  });
  const acting = useMutation({
    mutationFn: ({ id, action }: { readonly id: string; readonly action: keyof typeof JOB_ACTIONS }) =>
      JOB_ACTIONS[action](id),
    onSuccess: (job) => {
      if (queries.getQueryData(jobKey(job.id)) !== undefined) queries.setQueryData(jobKey(job.id), job);
    },
    onSettled: () => refetch(),
  });
  const opening = useMutation({
    mutationFn: (id: string) => jobAddress(id, new AbortController().signal),
    onSuccess: (address) => {
      if (address !== null) goTo(address);
    },
  });
  const failure = acting.error ?? opening.error ?? error;
  const forgetFailures = (): void => {
    acting.reset();
    opening.reset();
  };
  return (
    <div className="flex max-h-[60vh] flex-col gap-2 overflow-y-auto">
      {failure !== null && (
        <p role="alert">
          {asApiError(failure).message}{" "}
          <Button look="quiet" onClick={() => void refetch().then(forgetFailures)}>
            Retry
          </Button>
        </p>
      )}
      {opening.data === null && (
        <p role="alert">
          One of its texts is in no saved conversation, so no view can show it. Its numbers are at{" "}
          <code>/api/jobs/{opening.variables}</code>.
        </p>
      )}
      {data === undefined ? (
        error === null && (
          <p role="status" className="text-muted">
            Reading the list…
          </p>
        )
      ) : data.length === 0 ? (
        <p className="text-muted">No jobs yet. A causal map is one: it goes on when you leave the view.</p>
      ) : (
        <ul aria-label="Jobs" className="flex flex-col divide-y divide-line">
          {data.map((job) => (
            <li key={job.id} className="py-1.5">
              <p className="line-clamp-3 break-words">{job.title}</p>
              <p className="text-label text-muted">
                {stateOf(job)}
                {job.id === shownId && ", shown here"}
              </p>
              <div className="flex gap-1">
                {job.id !== shownId && hasView(job) && (
                  <Button
                    look="quiet"
                    disabled={opening.isPending}
                    aria-label={`Open ${job.title}`}
                    onClick={() => opening.mutate(job.id)}
                  >
                    Open
                  </Button>
                )}
                {actionsOf(job).map(({ action, label }) => (
                  <Button
                    key={action}
                    look="quiet"
                    disabled={acting.isPending}
                    aria-label={`${label} ${job.title}`}
                    onClick={() => acting.mutate({ id: job.id, action })}
                  >
                    {label}
                  </Button>
                ))}
              </div>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function actionsOf(job: JobSummary) {
  // Of one that is over, the server forgets what it found.
  if (isOver(job)) return [{ action: "cancel", label: "Forget" }] as const;
  return [
    job.state === "paused"
      ? ({ action: "resume", label: "Resume" } as const)
      : ({ action: "pause", label: "Pause" } as const),
    { action: "cancel", label: "Cancel" } as const,
  ];
}

function stateOf({ state, progress, seconds_left, error }: JobSummary): string {
  const share = `${Math.floor(100 * progress)} %`;
  switch (state) {
    case "waiting":
      return `waiting for its turn, ${share}`;
    case "running":
      return `running, ${share}${seconds_left === null ? "" : `, about ${Math.max(1, Math.round(seconds_left))} s left`}`;
    case "paused":
      return `paused, ${share}`;
    case "cancelled":
      return `cancelled, ${share}`;
    case "lost":
    case "error":
      return error?.message ?? "failed";
    case "done":
      return "done";
  }
}
