import type { ReactNode } from "react";
import type { ModelInfo } from "@/types/schemas";

/** What the check of the numbers against the model found. */
export default function SelfCheckFindings({ check }: { readonly check: ModelInfo["self_check"] }) {
  return (
    <>
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
        {check.precision !== null && (
          <Finding
            name="Blocks in 16 bits against float32, on one sentence"
            value={inWords(check.precision)}
          />
        )}
      </dl>
    </>
  );
}

function difference(logits: number): string {
  return logits === 0 ? "identical: 0 logits apart" : `at most ${logits.toExponential(1)} logits apart`;
}

function inWords(found: NonNullable<ModelInfo["self_check"]["precision"]>): string {
  const { max_probability_diff, max_logit_diff, same_top1, n_tokens } = found;
  return (
    `probabilities at most ${max_probability_diff.toPrecision(2)} apart, logits ${max_logit_diff.toPrecision(2)}; ` +
    `the same top-1 after ${same_top1} of ${n_tokens} tokens`
  );
}

function Finding({ name, value }: { readonly name: string; readonly value: ReactNode }) {
  return (
    <div>
      <dt className="text-muted">{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
