import type { LayerReading } from "@/api/lens";
import { ContinueWith } from "@/components/lens/ContinueWith";
import { PinToggle } from "@/components/lens/PinToggle";
import { TokenText } from "@/components/lens/TokenText";
import { formatLogprob, formatProbability } from "@/lib/format";
import { byteListOfText, cellPartsOfText } from "@/lib/tokens";

interface LayerDetailProps {
  readonly reading: LayerReading;
  /** Where the residual stream was read. */
  readonly position: number;
  readonly actualId: number | null;
}

/** The predictions of the selected layer in full: ids, bytes and log-probabilities. */
export function LayerDetail({ reading, position, actualId }: LayerDetailProps) {
  const place = reading.layer === 0 ? "after the embedding" : `after block ${reading.label}`;
  return (
    <section
      aria-label="Selected layer"
      className="max-h-48 shrink-0 overflow-y-auto max-md:max-h-none border-t border-line px-3 py-2"
    >
      <h3 className="font-medium">
        Layer {reading.label} <span className="font-normal text-muted">{place}</span>
      </h3>
      <table className="mt-1 w-full text-left font-mono text-label">
        <thead className="font-sans text-cell text-quiet">
          <tr>
            <th className="font-normal">rank</th>
            <th className="font-normal">token</th>
            <th className="text-right font-normal">id</th>
            <th className="text-right font-normal">probability</th>
            <th className="text-right font-normal">
              log-prob. <span className="max-sm:hidden">nats</span>
            </th>
            <th className="pl-4 font-normal max-sm:hidden">bytes</th>
            <th className="w-12">
              <span className="sr-only">continue with it, pin it</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {reading.predictions.map((prediction) => (
            <tr key={prediction.token_id}>
              <td className="text-muted">{prediction.rank}</td>
              <td className="max-w-32 truncate">
                <TokenText parts={cellPartsOfText(prediction.text)} />
                {prediction.token_id === actualId && (
                  <span className="ml-1.5 font-sans text-cell text-muted">actual</span>
                )}
              </td>
              <td className="text-right text-muted">{prediction.token_id}</td>
              <td className="text-right">{formatProbability(prediction.probability)}</td>
              <td className="text-right">{formatLogprob(prediction.probability)}</td>
              <td className="max-w-40 truncate pl-4 text-quiet max-sm:hidden">
                {byteListOfText(prediction.text)}
              </td>
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
