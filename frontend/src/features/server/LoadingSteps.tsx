import clsx from "clsx";
import { formatBytes } from "@/base/amount";
import type { Health } from "@/types/schemas";
import { Icon } from "@/ui/Icon";

type Step = NonNullable<Health["loading"]>[number];

const NAMES: Record<Step["step"], string> = {
  import: "Import PyTorch and nnsight",
  find: "Find or download the files",
  weights: "Load the weights",
  pack: "Pack the weights for this processor",
  check: "Check the lens against the model",
};

/** Seconds from which a step says how long it takes. */
const LONG_S = 0.1;

/** What loading a model does, how far it is, and how long each step takes. */
export function LoadingSteps({ steps }: { readonly steps: readonly Step[] }) {
  const seconds = steps.reduce((sum, step) => sum + (step.seconds ?? 0), 0);
  return (
    <div className="space-y-1">
      <ol className="space-y-0.5">
        {steps.map((step) => (
          <li
            key={step.step}
            aria-current={step.status === "running" ? "step" : undefined}
            className={clsx("flex items-center gap-2", step.status === "waiting" && "text-quiet")}
          >
            <span className="flex size-4 shrink-0 items-center justify-center">
              {step.status === "done" ? (
                <Icon name="check" className="size-3.5 text-good" />
              ) : (
                <span
                  className={clsx(
                    "size-2 rounded-full",
                    step.status === "running" ? "bg-accent" : "border border-line-strong",
                  )}
                />
              )}
            </span>
            <span>{NAMES[step.step]}</span>
            <span className="sr-only">{step.status}</span>
            <span className="ml-auto font-mono text-label text-muted">{amountOf(step)}</span>
          </li>
        ))}
      </ol>
      <Bytes step={steps.find(({ status }) => status === "running")} />
      <p className="text-label text-muted">{seconds.toFixed(0)} s so far</p>
    </div>
  );
}

function amountOf({ seconds }: Step): string {
  return seconds === null || seconds < LONG_S ? "" : `${seconds.toFixed(1)} s`;
}

function Bytes({ step }: { readonly step: Step | undefined }) {
  if (step === undefined || step.done_bytes === null) return null;
  const { step: name, done_bytes: done, total_bytes: total } = step;
  return (
    <div className="space-y-1">
      <progress
        aria-label={name === "find" ? "Download of the model" : "Weights of the model"}
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
