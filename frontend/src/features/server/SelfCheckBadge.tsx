import clsx from "clsx";
import { Suspense } from "react";
import type { ModelInfo } from "@/types/schemas";
import { Icon } from "@/ui/Icon";
import { lazyPart } from "@/ui/lazyPart";
import { Popover } from "@/ui/Popover";

const SelfCheckFindings = lazyPart(() => import("./SelfCheckFindings"));

interface SelfCheckBadgeProps {
  readonly check: ModelInfo["self_check"];
  /** The server does not answer: what it found is of a model that may run no longer. */
  readonly isOffline: boolean;
}

/** Whether the numbers were checked against the model itself, and what the check found. */
export function SelfCheckBadge({ check, isOffline }: SelfCheckBadgeProps) {
  const word = isOffline ? "offline" : check.passed ? "verified" : "not verified";
  return (
    <Popover
      label="Self-check"
      trigger={
        <button
          type="button"
          className={clsx(
            "inline-flex h-control items-center gap-1 rounded-control px-2 font-medium hover:bg-hover",
            isOffline ? "text-muted" : check.passed ? "text-good" : "text-danger",
          )}
        >
          <Icon name={!isOffline && check.passed ? "check" : "warning"} />
          <span className="max-sm:sr-only">{word}</span>
        </button>
      }
    >
      <Suspense fallback={<p className="text-muted">Opening…</p>}>
        <SelfCheckFindings check={check} />
      </Suspense>
    </Popover>
  );
}
