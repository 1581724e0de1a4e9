import { ReadingFrame } from "@/features/evidence/ReadingFrame";
import type { Layers } from "@/features/steering/interventions";
import type { Timeline } from "@/model/timeline";
import { useTargetByLayer } from "@/reading/targetByLayer";
import { LayerStrip } from "./LayerStrip";

interface LayerPartProps {
  readonly timeline: Timeline;
  readonly position: number;
  readonly tokenId: number | null;
  readonly nLayers: number;
  readonly layers: Layers;
  readonly onChange: (layers: Layers) => void;
}

/** The layers where it acts, on the strip of those where the token can be read. */
export function LayerPart({ timeline, position, tokenId, nLayers, layers, onChange }: LayerPartProps) {
  const reading = useTargetByLayer(timeline, position, tokenId);
  return (
    <section aria-label="Layers" className="px-3 py-2">
      <p className="mb-1 text-label text-muted">
        Layers {layers.first === layers.last ? layers.first : `${layers.first} to ${layers.last}`}. The bars
        are the token’s rank at each layer of the plain model, full at rank 1, on a log scale; drag to choose.
      </p>
      {reading.status === "failed" && (
        <ReadingFrame reading={reading} what="The layers of this token" hasData={false}>
          {null}
        </ReadingFrame>
      )}
      <LayerStrip nLayers={nLayers} scores={reading.data} layers={layers} onChange={onChange} />
    </section>
  );
}
