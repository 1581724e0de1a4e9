import type { Health } from "@/api/client";
import { formatBytes } from "@/lib/amount";

/** What the page waits for while the model is not there, or why it will not come. */
export function ModelWait({ health }: { readonly health: Health | null }) {
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
