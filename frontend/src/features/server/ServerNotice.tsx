import { identityOf, startCommand } from "@/model/identity";
import { Icon } from "@/ui/Icon";
import type { ServerState } from "./server";

/** One quiet line when the server is away or held up; nothing while all is well. */
export function ServerNotice({ phase, health, model }: ServerState) {
  const words = wordsFor(phase, health?.detail ?? null);
  return (
    <div role="status">
      {words !== null && (
        <p className="flex flex-wrap items-center gap-x-2 border-b border-line bg-warn-soft px-3 py-1.5">
          <Icon name="warning" className="text-warn" />
          {words}
          {phase === "lost" && (
            <span>
              To start it again:{" "}
              <code className="rounded-mark bg-sunken px-1 font-mono break-all">
                {model === null ? "make run" : startCommand(identityOf(model))}
              </code>
            </span>
          )}
        </p>
      )}
    </div>
  );
}

function wordsFor(phase: ServerState["phase"], detail: string | null): string | null {
  switch (phase) {
    case "lost":
      return "The server does not answer. The page reconnects by itself; what you see stays.";
    case "stalled":
      return detail ?? "The model gives no sign of life. Replies may not come.";
    case "draining":
      return detail ?? "The server is shutting down and takes no new messages.";
    case "connecting":
    case "refused": // as the next two
    case "loading":
    case "failed": // said in full where the conversation would be
    case "ready":
      return null;
  }
}
