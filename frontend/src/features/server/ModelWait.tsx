import type { ApiError } from "@/base/errors";
import type { Health } from "@/types/schemas";
import { LoadingSteps } from "./LoadingSteps";

interface ModelWaitProps {
  readonly health: Health | null;
  /** Why the server refuses the page; null while it does not. */
  readonly refusal: ApiError | null;
}

/** The server's own hints are for programs. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  unauthorized:
    "The server was started with EXPLORER_TOKEN, and the page sends no token. Put a proxy in front of it that adds the header “Authorization: Bearer …”, or start it without EXPLORER_TOKEN for use on this computer alone.",
};

/** Why there is no model: it loads, step by step, or could not be loaded, or the server refuses the page. */
export function ModelWait({ health, refusal }: ModelWaitProps) {
  if (refusal !== null) {
    return (
      <div role="alert" className="m-auto max-w-md space-y-3 p-6">
        <h2 className="text-page font-semibold">The server does not answer this page</h2>
        <p className="break-words">{refusal.message}</p>
        <p className="text-muted">{WAYS_OUT[refusal.code] ?? refusal.hint}</p>
        <p className="font-mono text-cell text-muted">{refusal.code}</p>
      </div>
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
