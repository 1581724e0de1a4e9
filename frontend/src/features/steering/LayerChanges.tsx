import { formatSigned } from "@/model/format";
import { layerName, layerNumber } from "@/model/layers";
import type { RunOutput } from "@/reading/underInterventions";
import { logitsOf } from "./ablated";

interface LayerChangesProps {
  /** What is read at each layer, in words. */
  readonly what: string;
  readonly plain: RunOutput;
  readonly without: RunOutput;
}

/** Two runs round differently, also below the part that is taken away. */
const ROUNDING = 1e-4;

/** A strip with a cell for each layer: what the logit lens reads under the ablation less what it reads without. */
export function LayerChanges({ what, plain, without }: LayerChangesProps) {
  const changes = plain.byLayer.map((scores, layer) => {
    const change = logitsOf(without.byLayer[layer] ?? []) - logitsOf(scores);
    return Math.abs(change) < ROUNDING ? 0 : change;
  });
  const size = Math.max(...changes.filter(Number.isFinite).map(Math.abs), 0);
  if (changes.length < 2 || size === 0) return null;
  const most = changes.findIndex((change) => Math.abs(change) === size);
  const every = Math.ceil(changes.length / 13);
  return (
    <figure className="mt-1 min-w-0">
      <figcaption className="text-muted">
        Change by layer, through the logit lens: most at {layerName(most)} (
        <span className="font-mono">{formatSigned(changes[most] ?? Number.NaN)}</span>); orange raises it,
        purple lowers it
      </figcaption>
      <ol aria-label={`Change of the ${what} by layer`} className="flex max-w-3xl gap-px pt-0.5">
        {changes.map((change, layer) => {
          const words = Number.isFinite(change) ? formatSigned(change) : "too small to tell";
          return (
            <li key={layer} title={`${layerName(layer)}: ${words}`} className="min-w-0 flex-1 text-center">
              <span className="sr-only">{`${layerName(layer)}: ${words}`}</span>
              <span
                aria-hidden="true"
                className="block h-4 rounded-mark border border-line forced-color-adjust-none"
                style={{ background: paint(change, size) }}
              />
              <span aria-hidden="true" className="font-mono text-cell text-muted">
                {layer % every === 0 ? layerNumber(layer) : ""}
              </span>
            </li>
          );
        })}
      </ol>
    </figure>
  );
}

/** Orange adds, purple takes away, as in Attribution. */
function paint(change: number, size: number): string {
  if (!Number.isFinite(change)) return "transparent";
  const hue = change < 0 ? "var(--data-minus)" : "var(--data-plus)";
  return `color-mix(in oklch, ${hue} ${Math.round((100 * Math.abs(change)) / size)}%, var(--surface-raised))`;
}
