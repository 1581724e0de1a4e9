import { Suspense } from "react";
import type { ApiError } from "@/base/errors";
import type { Health } from "@/types/schemas";
import { lazyPart } from "@/ui/lazyPart";
import { LoadingSteps } from "./LoadingSteps";

const Refused = lazyPart(() => import("./Refused"));

interface ModelWaitProps {
  readonly health: Health | null;
  /** Why the server refuses the page; null while it does not. */
  readonly refusal: ApiError | null;
}

/** Why there is no model: it loads, step by step, or could not be loaded, or the server refuses the page. */
export function ModelWait({ health, refusal }: ModelWaitProps) {
  if (refusal !== null) {
    return (
      <Suspense>
        <Refused refusal={refusal} />
      </Suspense>
    );
  }
  if (health?.status === "failed") {
    return (
      <div role="alert" className="m-auto max-w-md space-y-3 p-6">
        <h2 className="text-page font-semibold">{health.model} could not be loaded</h2>
        <p className="break-words">{health.detail ?? "The server gave no reason; its terminal says more."}</p>
        <p className="text-muted">
          Choose another one: the name at the top of the page opens the list. The embedded model needs no
          network.
        </p>
      </div>
    );
  }
  return (
    <div className="m-auto w-full max-w-md space-y-3 py-4">
      <h2 role="status" className="text-title font-semibold">
        {health === null ? "Waiting for the server" : `Loading ${health.model}`}
      </h2>
      <p className="text-muted">{health?.detail ?? "The page is ready as soon as the model is."}</p>
      {health?.loading && <LoadingSteps steps={health.loading} />}
    </div>
  );
}
