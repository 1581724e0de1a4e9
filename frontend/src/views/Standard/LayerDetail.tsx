import { useState } from "react";
import { ContinueWith } from "@/features/branches/ContinueWith";
import { PinToggle } from "@/features/pins/PinToggle";
import { formatLogprob, formatNats, formatProbability } from "@/model/format";
import { byteListOfText, cellPartsOfText } from "@/model/tokens";
import type { LayerReading } from "@/reading/lens";
import { Button } from "@/ui/Button";
import { useIsLow } from "@/ui/media";
import { TokenText } from "@/ui/TokenText";

interface LayerDetailProps {
  readonly reading: LayerReading;
  /** Where the residual stream was read. */
  readonly position: number;
  readonly actualId: number | null;
}

/** The predictions of the selected layer in full. In a low window one line, until it is opened: rows come first. */
export function LayerDetail({ reading, position, actualId }: LayerDetailProps) {
  const isLow = useIsLow();
  const [isOpen, setOpen] = useState<boolean | null>(null);
  const isShown = isOpen ?? !isLow;
  const place = reading.layer === 0 ? "after the embedding" : `after block ${reading.label}`;
  return (
    <section
      aria-label="Selected layer"
      className="max-h-56 shrink-0 overflow-y-auto border-t border-line px-3 py-1 max-md:max-h-none"
    >
      <div className="flex items-center gap-x-3">
        <h3 className="min-w-0 truncate font-medium">
          Layer {reading.label} <span className="font-normal text-muted">{place}</span>
        </h3>
        <p className="min-w-0 flex-1 truncate text-label text-muted">
          entropy <span className="font-mono">{formatNats(reading.entropy_nats)}</span>, KL to final{" "}
          <span className="font-mono">{formatNats(reading.kl_to_final_nats)}</span> nats
        </p>
        <Button look="quiet" size="small" aria-expanded={isShown} onClick={() => setOpen(!isShown)}>
          {isShown ? "Hide predictions" : `Show ${reading.predictions.length} predictions`}
        </Button>
      </div>
      {isShown && (
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
      )}
    </section>
  );
}
