import { useRef, useState } from "react";
import { useServer } from "@/features/server/server";
import { lensTitle } from "@/model/lenses";
import { isOver } from "@/reading/patching";
import type { FitJob } from "@/types/schemas";
import { Button } from "@/ui/Button";
import { firstClick } from "@/ui/firstClick";
import { FitCurve } from "./FitCurve";
import { FitForm } from "./FitForm";
import { FitVerdict } from "./FitVerdict";
import { useFit } from "./useFit";

/** Fits a lens to the running model: what to fit it to, how it goes, and whether it is worth anything. */
export default function FitPanel() {
  const { model } = useServer();
  const fit = useFit(model);
  const [wantsAnother, setWantsAnother] = useState(false);
  const panel = useRef<HTMLDivElement>(null);
  const { job } = fit;
  const hasForm = job === null ? !fit.isReading : wantsAnother && isOver(job);
  return (
    <div ref={panel} tabIndex={-1} className="flex flex-col gap-3 outline-none">
      <h2 className="font-medium">Fit a lens to {model?.model_name ?? "the model"}</h2>
      {fit.error !== null && (
        <p role="alert" className="text-danger">
          {fit.error.message} {fit.error.hint}
        </p>
      )}
      {hasForm && (
        <FitForm
          isStarting={fit.isStarting}
          onStart={(request) => {
            // The form goes away: with the focus on its button it would take the popover along.
            panel.current?.focus();
            setWantsAnother(false);
            fit.start(request);
          }}
        />
      )}
      {job === null && fit.isReading && (
        <p role="status" className="text-muted">
          Reading the list of jobs…
        </p>
      )}
      {job !== null && !hasForm && (
        <>
          <p role="status">{inWords(job)}</p>
          <div className="flex gap-2">
            {isOver(job) ? (
              <Button onClick={() => setWantsAnother(true)}>Fit another</Button>
            ) : (
              <>
                <Button onClick={firstClick(() => fit.act(job.state === "paused" ? "resume" : "pause"))}>
                  {job.state === "paused" ? "Resume" : "Pause"}
                </Button>
                <Button look="quiet" onClick={firstClick(() => fit.act("cancel"))}>
                  Cancel
                </Button>
              </>
            )}
          </div>
          <FitCurve points={job.result.curve} lens={job.assumed.lens} seconds={job.assumed.seconds} />
          {job.result.verdict !== null && <FitVerdict verdict={job.result.verdict} />}
        </>
      )}
    </div>
  );
}

function inWords({ state, progress, seconds_left, assumed, error }: FitJob): string {
  const title = `${lensTitle(assumed.lens)} lens`;
  const what = `${title.charAt(0).toUpperCase()}${title.slice(1)}, ${assumed.text}, ${Math.round(assumed.seconds / 6) / 10} min`;
  const share = `${what}: ${Math.floor(100 * progress)}\u00a0%`;
  switch (state) {
    case "waiting":
      return `${share}, waiting for its turn`;
    case "running":
      return `${share}${seconds_left === null ? "" : `, about ${Math.max(1, Math.round(seconds_left))} s left`}`;
    case "paused":
      return `${share}, paused`;
    case "cancelled":
      return `${share}, cancelled`;
    case "lost":
    case "error":
      return error?.message ?? `${share}, failed`;
    case "done":
      return `${what}: done`;
  }
}
