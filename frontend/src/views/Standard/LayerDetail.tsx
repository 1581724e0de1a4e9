import { ContinueWith } from "@/features/branches/ContinueWith";
import { PinToggle } from "@/features/pins/PinToggle";
import { SteerToken } from "@/features/steering/SteerToken";
import { formatLogprob, formatNats, formatProbability } from "@/model/format";
import { isHalf, layerTitle } from "@/model/layers";
import type { Timeline } from "@/model/timeline";
import { byteListOfText, cellPartsOfText } from "@/model/tokens";
import type { LayerReading } from "@/reading/lens";
import { IconButton } from "@/ui/Button";
import { Segmented } from "@/ui/Segmented";
import { TokenText } from "@/ui/TokenText";
import { BlockWrites } from "./BlockWrites";
import type { ShownOfLayer } from "./choices";

const SHOWN_OF_LAYER = [
  { value: "predictions", label: "Predictions", hint: "What is read at this layer" },
  {
    value: "writes",
    label: "Written",
    hint: "Tokens that the attention and the MLP of its block promoted and suppressed",
  },
] as const;

interface LayerDetailProps {
  readonly timeline: Timeline;
  readonly reading: LayerReading;
  /** Where the residual stream was read. */
  readonly position: number;
  readonly actual: { readonly id: number; readonly text: string } | null;
  readonly shown: ShownOfLayer;
  readonly onShow: (shown: ShownOfLayer) => void;
  readonly onClose: () => void;
}

/** The selected layer in the room that the rows leave: its predictions in full, or what its block wrote. */
export default function LayerDetail({
  timeline,
  reading,
  position,
  actual,
  shown,
  onShow,
  onClose,
}: LayerDetailProps) {
  const { layer } = reading;
  // Before layer 0 there is no block.
  const showsWrites = shown === "writes" && layer > 0;
  return (
    <section
      aria-label="Selected layer"
      className="max-h-56 min-h-8 shrink overflow-y-auto border-t border-line bg-raised px-3 pb-1 max-md:max-h-none"
    >
      <div className="sticky top-0 flex min-h-8 flex-wrap items-center gap-x-3 bg-raised">
        <h3 className="shrink-0 font-medium @max-[34rem]:flex-1">{layerTitle(layer)}</h3>
        <p className="min-w-0 flex-1 truncate text-label text-muted @max-[34rem]:order-last @max-[34rem]:basis-full">
          {placeOf(layer)}entropy <span className="font-mono">{formatNats(reading.entropy_nats)}</span>, KL to
          final <span className="font-mono">{formatNats(reading.kl_to_final_nats)}</span> nats
        </p>
        {layer > 0 && (
          <Segmented
            label="Shown of the layer"
            value={shown}
            options={SHOWN_OF_LAYER}
            onChange={onShow}
            className="text-label"
          />
        )}
        <IconButton icon="close" label="Close the details" onClick={onClose} />
      </div>
      {showsWrites ? (
        <BlockWrites timeline={timeline} position={position} layer={layer} />
      ) : (
        <Predictions reading={reading} position={position} actual={actual} />
      )}
    </section>
  );
}

function placeOf(layer: number): string {
  if (layer === 0) return "";
  return isHalf(layer) ? `in block ${layer + 0.5}, before its MLP, ` : `after block ${layer}, `;
}

type PredictionsProps = Pick<LayerDetailProps, "reading" | "position" | "actual">;

function Predictions({ reading, position, actual }: PredictionsProps) {
  return (
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
          <th className="w-18">
            <span className="sr-only">continue with it, steer it, pin it</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {reading.predictions.map((prediction) => (
          <tr key={prediction.token_id}>
            <td className="text-muted">{prediction.rank}</td>
            <td className="max-w-40 truncate" title={`bytes ${byteListOfText(prediction.text)}`}>
              <TokenText parts={cellPartsOfText(prediction.text)} />
              {prediction.token_id === actual?.id && (
                <span className="ml-1.5 font-sans text-cell text-muted">actual</span>
              )}
            </td>
            <td className="text-right text-muted">{prediction.token_id}</td>
            <td className="text-right whitespace-nowrap">{formatProbability(prediction.probability)}</td>
            <td className="text-right whitespace-nowrap">{formatLogprob(prediction.probability)}</td>
            <td className="text-right whitespace-nowrap">
              {prediction.token_id !== actual?.id && (
                <ContinueWith index={position + 1} tokenId={prediction.token_id} text={prediction.text} />
              )}
              <SteerToken tokenId={prediction.token_id} text={prediction.text} actual={actual} />
              <PinToggle tokenId={prediction.token_id} text={prediction.text} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
