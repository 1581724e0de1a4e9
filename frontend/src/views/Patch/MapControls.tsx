import type { ReactNode } from "react";
import { Segmented } from "@/ui/Segmented";
import { Button } from "@/ui/Button";
import { firstClick } from "@/ui/firstClick";
import { formatCount } from "@/model/format";
import { isOver } from "@/reading/patching";
import type { JobInfo } from "@/types/schemas";
import type { PatchDirection } from "./choices";
import type { CausalMap } from "./useMap";

const DIRECTIONS = [
  { value: "denoise", label: "Denoise", hint: "A’s states are put into B: is this place enough?" },
  { value: "noise", label: "Noise", hint: "B’s states are put into A: is this place needed?" },
] as const;

interface MapControlsProps {
  readonly direction: PatchDirection;
  readonly map: CausalMap;
  /** Opens the list of all jobs. */
  readonly jobs: ReactNode;
  readonly nCells: number;
  readonly onDirection: (direction: PatchDirection) => void;
}

/** What is put where, and the map: started, paused, resumed, cancelled. */
export function MapControls({ direction, map, jobs, nCells, onDirection }: MapControlsProps) {
  const { job, isStarting, start, act } = map;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
      <Segmented label="Direction" value={direction} options={DIRECTIONS} onChange={onDirection} />
      {job === null || job.state === "cancelled" || job.state === "error" || job.state === "lost" ? (
        <Button look="primary" disabled={isStarting} onClick={start}>
          {job === null ? "Map every position" : "Start again"}
        </Button>
      ) : (
        <>
          {!isOver(job) && (
            <>
              <Button onClick={firstClick(() => act(job.state === "paused" ? "resume" : "pause"))}>
                {job.state === "paused" ? "Resume" : "Pause"}
              </Button>
              <Button look="quiet" onClick={firstClick(() => act("cancel"))}>
                Cancel
              </Button>
            </>
          )}
        </>
      )}
      {jobs}
      <p role="status" className="text-muted">
        {job === null ? `${formatCount(nCells)} cells, one run each from where it can change` : inWords(job)}
      </p>
    </div>
  );
}

function inWords(job: JobInfo): string {
  const { n_done, n_cells, rank_correlation } = job.result;
  const share = `${formatCount(n_done)} of ${formatCount(n_cells)} cells`;
  switch (job.state) {
    case "waiting":
      return `${share}, waiting for its turn`;
    case "running":
      return `${share}${job.seconds_left === null ? "" : `, about ${Math.max(1, Math.round(job.seconds_left))} s left`}`;
    case "paused":
      return `${share}, paused`;
    case "cancelled":
      return `${share}, cancelled`;
    case "lost":
    case "error":
      return share;
    case "done":
      return rank_correlation === null
        ? `${formatCount(n_cells)} cells`
        : `${formatCount(n_cells)} cells; rank correlation of their estimate ${rank_correlation.toFixed(2)}`;
  }
}
