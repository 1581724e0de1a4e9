/** Findings about one token across the layers, with their numbers. */
import { decisionLayer } from "@/model/decision";

/** The token at one layer: its rank and probability, and the layer's top-1 prediction. */
export interface LayerStanding {
  readonly label: string;
  readonly rank: number;
  readonly probability: number;
  readonly entropyNats: number;
  /** The layer's top-1 prediction. */
  readonly leader: { readonly text: string; readonly probability: number } | null;
}

export interface Findings {
  /** First layer from which the token stays top-1; null where it is not top-1 at the output. */
  readonly decided: number | null;
  /** The layer with the largest rise of probability from the one below; null where none rises. */
  readonly rise: number | null;
  /** The layer of highest entropy, the embedding left out. */
  readonly widest: number;
}

/** `layers`: layer 0 first, at least two. */
export function findingsOf(layers: readonly LayerStanding[]): Findings {
  let rise: number | null = null;
  let largest = 0;
  let widest = 1;
  layers.forEach((layer, at) => {
    const below = layers[at - 1];
    if (below === undefined) return;
    if (layer.probability - below.probability > largest) {
      largest = layer.probability - below.probability;
      rise = at;
    }
    if (layer.entropyNats > (layers[widest]?.entropyNats ?? 0)) widest = at;
  });
  return { decided: decisionLayer(layers.map(({ rank }) => rank)), rise, widest };
}
