import { formatBytes } from "@/base/amount";
import type { ApiError } from "@/base/errors";
import type { Health } from "@/types/schemas";

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

/** What the page waits for while the model is not there, or why it will not come. */
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
          Start the server again with a model that is at hand. The embedded model needs no network:
        </p>
        <pre className="overflow-x-auto rounded-control bg-sunken p-3 font-mono text-label">
          python run.py --model embedded
        </pre>
      </div>
    );
  }
  return (
    <div className="m-auto w-full max-w-md space-y-3 p-6" role="status">
      <h2 className="text-page font-semibold">
        {health === null ? "Waiting for the server" : `Loading ${health.model}`}
      </h2>
      <p className="text-muted">{health?.detail ?? "The page is ready as soon as the model is."}</p>
      <Download download={health?.download ?? null} />
    </div>
  );
}

function Download({ download }: { readonly download: Health["download"] }) {
  if (download === null) return null;
  const { done_bytes: done, total_bytes: total } = download;
  return (
    <div className="space-y-1">
      <progress
        aria-label="Download of the model"
        className="progress w-full"
        {...(total === null ? {} : { value: done, max: total })}
      />
      <p className="text-label text-muted">
        {formatBytes(done)}
        {total !== null && ` of ${formatBytes(total)}`}
      </p>
    </div>
  );
}
