import { Suspense } from "react";
import { identityOf, startCommand } from "@/model/identity";
import { CopyButton } from "@/ui/CopyButton";
import { Icon } from "@/ui/Icon";
import { patientPart } from "@/ui/lazyPart";
import type { ServerState } from "./server";

const SwitchNotice = patientPart(() => import("./SwitchNotice"));

/** One quiet line when the server is away or held up; nothing while all is well. */
export function ServerNotice({ phase, health, model }: ServerState) {
  const words = wordsFor(phase, health?.detail ?? null);
  const change = health?.switch ?? null;
  const command = model === null ? "make run" : startCommand(identityOf(model));
  return (
    <div role="status">
      {change !== null && phase === "ready" && (
        <Suspense fallback={null}>
          <SwitchNotice change={change} running={health?.model ?? ""} />
        </Suspense>
      )}
      {words !== null && (
        <div className="flex flex-wrap items-center gap-x-2 border-b border-line bg-warn-soft px-3 py-1.5">
          <Icon name="warning" className="text-warn" />
          {words}
          {phase === "lost" && (
            <span className="flex flex-wrap items-center gap-x-1">
              To start it again:
              <code className="rounded-mark bg-sunken px-1 font-mono break-all">{command}</code>
              <CopyButton label="Copy the command" text={() => command} />
            </span>
          )}
        </div>
      )}
    </div>
  );
}

function wordsFor(phase: ServerState["phase"], detail: string | null): string | null {
  switch (phase) {
    case "lost":
      return "The server is not responding. The page reconnects by itself and keeps what is shown.";
    case "stalled":
      return detail ?? "The model is not responding. Replies may be delayed or lost.";
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
