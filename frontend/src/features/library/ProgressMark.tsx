import clsx from "clsx";

export type Progress = "running" | "failed";

const WORDS: Record<Progress, string> = { running: "generating…", failed: "interrupted" };

/** Whether a reply of a conversation in the list goes on, or has failed. */
export function ProgressMark({ progress }: { readonly progress: Progress }) {
  return (
    <span className="flex shrink-0 items-center gap-1">
      <span
        aria-hidden="true"
        className={clsx(
          "size-1.5 rounded-full",
          progress === "running" ? "bg-accent motion-safe:animate-pulse" : "bg-danger",
        )}
      />
      {WORDS[progress]}
    </span>
  );
}
