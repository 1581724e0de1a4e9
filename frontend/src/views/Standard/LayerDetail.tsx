import { ContinueWith } from "@/features/branches/ContinueWith";
import { PinToggle } from "@/features/pins/PinToggle";
import { formatLogprob, formatNats, formatProbability } from "@/model/format";
import { isHalf, layerTitle } from "@/model/layers";
import { byteListOfText, cellPartsOfText } from "@/model/tokens";
import type { LayerReading } from "@/reading/lens";
import { IconButton } from "@/ui/Button";
import { TokenText } from "@/ui/TokenText";

interface LayerDetailProps {
  readonly reading: LayerReading;
  /** Where the residual stream was read. */
  readonly position: number;
  readonly actualId: number | null;
  readonly onClose: () => void;
}

/** The predictions of the selected layer in full, in the room that the rows leave. */
export function LayerDetail({ reading, position, actualId, onClose }: LayerDetailProps) {
  return (
    <section
      aria-label="Selected layer"
      className="max-h-56 min-h-8 shrink overflow-y-auto border-t border-line bg-raised px-3 pb-1 max-md:max-h-none"
    >
      <div className="sticky top-0 flex h-8 items-center gap-x-3 bg-raised">
        <h3 className="shrink-0 font-medium">{layerTitle(reading.layer)}</h3>
        <p className="min-w-0 flex-1 truncate text-label text-muted">
          {placeOf(reading.layer)}entropy{" "}
          <span className="font-mono">{formatNats(reading.entropy_nats)}</span>, KL to final{" "}
          <span className="font-mono">{formatNats(reading.kl_to_final_nats)}</span> nats
        </p>
        <IconButton icon="close" label="Close the details" onClick={onClose} />
      </div>
      <table className="w-full text-left font-mono text-label">
        <thead className="font-sans text-cell text-quiet">
          <tr>
            <th className="font-normal">rank</th>
            <th className="font-normal">token</th>
            <th className="text-right font-normal">id</th>
            <th className="text-right font-normal">probability</th>
            <th className="text-right font-normal">
              log-prob. <span className="max-sm:hidden">nats</span>
            </th>
            <th className="w-12">
              <span className="sr-only">continue with it, pin it</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {reading.predictions.map((prediction) => (
            <tr key={prediction.token_id}>
              <td className="text-muted">{prediction.rank}</td>
              <td className="max-w-40 truncate" title={`bytes ${byteListOfText(prediction.text)}`}>
                <TokenText parts={cellPartsOfText(prediction.text)} />
                {prediction.token_id === actualId && (
                  <span className="ml-1.5 font-sans text-cell text-muted">actual</span>
                )}
              </td>
              <td className="text-right text-muted">{prediction.token_id}</td>
              <td className="text-right whitespace-nowrap">{formatProbability(prediction.probability)}</td>
              <td className="text-right whitespace-nowrap">{formatLogprob(prediction.probability)}</td>
              <td className="text-right whitespace-nowrap">
                {prediction.token_id !== actualId && (
                  <ContinueWith index={position + 1} tokenId={prediction.token_id} text={prediction.text} />
                )}
                <PinToggle tokenId={prediction.token_id} text={prediction.text} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function placeOf(layer: number): string {
  if (layer === 0) return "";
  return isHalf(layer) ? `in block ${layer + 0.5}, before its MLP, ` : `after block ${layer}, `;
}
