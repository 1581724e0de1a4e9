import type { FitJob } from "@/types/schemas";
import { Button } from "@/ui/Button";

type Verdict = NonNullable<FitJob["result"]["verdict"]>;

/** The lens beside its controls on held-out text, layer by layer. */
export function FitVerdict({ verdict }: { readonly verdict: Verdict }) {
  const { layers } = verdict;
  const hasFormer = layers.some(({ in_use_kl_nats }) => in_use_kl_nats !== null);
  const n = layers.filter(({ beats_controls }) => beats_controls).length;
  return (
    <section aria-label="Verdict" className="flex flex-col gap-2">
      <p className={verdict.beats_controls ? undefined : "rounded-control bg-warn-soft p-2"}>
        {verdict.beats_controls
          ? `Nearer to the model than every control at ${n} of ${layers.length} layers, on ${verdict.n_positions} held-out positions.`
          : `No better than a control at ${layers.length - n} of ${layers.length} layers, on ${verdict.n_positions} held-out positions. Fit it longer, or to more text.`}{" "}
        {inUse(verdict, hasFormer)}
      </p>
      {verdict.is_in_use && hasFormer && (
        <Button className="self-start" onClick={() => window.location.reload()}>
          Reload the page
        </Button>
      )}
      <div className="overflow-x-auto">
        <table className="w-full text-right tabular-nums">
          <caption className="text-left text-label text-muted">
            Mean KL divergence from the output in nats. Scaled: the logit lens with its logits scaled for the
            best; permuted: the map of another layer.
          </caption>
          <thead className="text-label text-muted">
            <tr>
              <th scope="col">layer</th>
              <th scope="col">fitted</th>
              <th scope="col">logit</th>
              <th scope="col">scaled</th>
              <th scope="col">permuted</th>
              {hasFormer && <th scope="col">former</th>}
              <th scope="col">better</th>
            </tr>
          </thead>
          <tbody>
            {layers.map((layer) => (
              <tr key={layer.layer}>
                <th scope="row" className="font-normal">
                  {layer.layer}
                </th>
                <td className="font-medium">{nats(layer.kl_nats)}</td>
                <td>{nats(layer.logit_kl_nats)}</td>
                <td>{nats(layer.scaled_kl_nats)}</td>
                <td>{nats(layer.permuted_kl_nats)}</td>
                {hasFormer && <td>{layer.in_use_kl_nats === null ? "" : nats(layer.in_use_kl_nats)}</td>}
                <td>{layer.beats_controls ? "yes" : "no"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function inUse({ is_in_use }: Verdict, hasFormer: boolean): string {
  if (!is_in_use) return "The lens of its kind that the model has is nearer and stays.";
  return hasFormer
    ? "It takes the place of the former one; what was read through that is read again after a reload."
    : "It can be chosen now.";
}

const nats = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(3));
