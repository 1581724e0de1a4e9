import { useState } from "react";
import { formatBytes } from "@/base/amount";
import type { Health } from "@/types/schemas";
import { IconButton } from "@/ui/Button";
import { Icon } from "@/ui/Icon";

interface SwitchNoticeProps {
  readonly change: NonNullable<Health["switch"]>;
  /** The model that goes on meanwhile. */
  readonly running: string;
}

/** One line about another model that loads, or that could not be loaded. */
export default function SwitchNotice({ change, running }: SwitchNoticeProps) {
  const [dismissed, setDismissed] = useState<string | null>(null);
  const { error } = change;
  if (error !== null) {
    if (dismissed === error.message) return null;
    return (
      <div
        role="alert"
        className="flex flex-wrap items-center gap-x-2 border-b border-line bg-danger-soft px-3 py-1"
      >
        <Icon name="warning" className="text-danger" />
        <span className="min-w-0 flex-1 break-words">
          <span className="font-medium">
            {change.model} was not loaded; {running} goes on.
          </span>{" "}
          {change.detail}
        </span>
        <IconButton icon="close" label="Dismiss" onClick={() => setDismissed(error.message)} />
      </div>
    );
  }
  const step = change.loading.find(({ status }) => status === "running");
  const [done, total] = [step?.done_bytes ?? null, step?.total_bytes ?? null];
  return (
    <div className="flex flex-wrap items-center gap-x-2 border-b border-line bg-sunken px-3 py-1.5">
      <span className="font-medium">Loading {change.model}</span>
      <span className="text-muted">{change.detail}</span>
      {change.stage === "loading" && done !== null && (
        <span className="flex items-center gap-2">
          <progress
            aria-label={`Loading ${change.model}`}
            className="progress w-32"
            {...(total === null ? {} : { value: done, max: total })}
          />
          <span className="text-label text-muted">
            {formatBytes(done)}
            {total !== null && ` of ${formatBytes(total)}`}
          </span>
        </span>
      )}
      <span className="text-muted">{running} goes on meanwhile.</span>
    </div>
  );
}
