import { formatNats } from "@/model/format";
import type { AttributionResponse } from "@/types/schemas";

/** The sum of the parts, the model's own number, and what rounding leaves between them. */
export function SumFoot({ answer }: { readonly answer: AttributionResponse }) {
  const { sum, difference, residue, softcap, foil_kind } = answer;
  const facts: readonly (readonly [string, number])[] = [
    ["sum of the parts", sum],
    [foil_kind === "none" ? "logit" : "logit difference", difference],
    ["residue", residue],
  ];
  return (
    <div className="shrink-0 border-t border-line px-3 py-1 text-label text-muted">
      <dl className="flex flex-wrap gap-x-4">
        {facts.map(([name, logits]) => (
          <div key={name} className="flex gap-1.5">
            <dt>{name}</dt>
            <dd className="font-mono text-ink">{formatNats(logits)}</dd>
          </div>
        ))}
        <div>
          <dt className="sr-only">unit</dt>
          <dd>logits</dd>
        </div>
      </dl>
      {softcap !== null && (
        <p>
          This model caps its logits at {softcap} by a tanh, its last step. All numbers here are those before
          the cap.
        </p>
      )}
    </div>
  );
}
