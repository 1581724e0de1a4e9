import clsx from "clsx";
import type { ReactNode } from "react";
import type { ModelInfo } from "@/types/schemas";
import { Icon } from "@/ui/Icon";
import { Popover } from "@/ui/Popover";

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
      <h2 className="mb-1 text-title font-semibold">
        {check.passed ? "The numbers were checked" : "The check failed"}
      </h2>
      <p className="mb-3 text-muted">
        Each time this model is loaded, its lens is compared with the model itself before anything is shown.
      </p>
      <dl className="space-y-2">
        <Finding
          name="Lens at the last layer against the model’s own output"
          value={difference(check.max_abs_diff)}
        />
        <Finding name="Decoding with a cache against without" value={difference(check.cache_max_abs_diff)} />
        <Finding
          name="Replacing one layer’s residual stream changes the output"
          value={`by up to ${check.edit_max_abs_change.toPrecision(3)} logits, so these layers are the ones the model runs`}
        />
      </dl>
    </Popover>
  );
}

function difference(logits: number): string {
  return logits === 0 ? "identical: 0 logits apart" : `at most ${logits.toExponential(1)} logits apart`;
}

function Finding({ name, value }: { readonly name: string; readonly value: ReactNode }) {
  return (
    <div>
      <dt className="text-muted">{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
