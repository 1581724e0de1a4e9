/** What there is to see of one token in the layers, as findings with their numbers. */
import { decisionLayer } from "@/model/decision";

/** One layer's say about the token: its rank and probability, and who leads. */
export interface LayerStanding {
  readonly label: string;
  readonly rank: number;
  readonly probability: number;
  readonly entropyNats: number;
  /** The layer's first choice. */
  readonly leader: { readonly text: string; readonly probability: number } | null;
}

export interface Findings {
  /** Where the token becomes the first choice for good; null where it is not that at the output. */
  readonly decided: number | null;
  /** The layer with the largest rise of probability from the one below; null where none rises. */
  readonly rise: number | null;
  /** The layer, from the first block on, whose prediction is the most spread out. */
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
