/** The Standard view to take away: the layers of one position with their top-k and the actual token. */
import {
  type ShownPrediction,
  type ShownProbability,
  timelineScript,
} from "@/features/export/timelineScript";
import type { ViewExport } from "@/features/export/viewExport";
import type { Cell } from "@/features/export/table";
import type { Token } from "@/model/timeline";
import { cellText, losslessTextOf } from "@/model/tokens";
import type { Reading } from "@/reading/lens";
import { drawLayers } from "./drawLayers";

export interface StandardState {
  readonly tokens: readonly Token[];
  readonly reading: Reading;
  /** Sets the full length of an entropy bar. */
  readonly vocabularySize: number;
}

const COLUMNS = [
  { key: "layer", unit: null },
  { key: "layer_label", unit: null },
  { key: "read_at_index", unit: null },
  { key: "read_at_token_id", unit: null },
  { key: "read_at_text", unit: null },
  { key: "predicts_index", unit: null },
  { key: "token_id", unit: null },
  { key: "token_text", unit: null },
  { key: "is_actual", unit: "1 for the token that follows" },
  { key: "rank", unit: "1 is the most probable" },
  { key: "probability", unit: "0 to 1" },
  { key: "logprob_nats", unit: "nats" },
  { key: "entropy_nats", unit: "nats" },
  { key: "kl_to_final_nats", unit: "nats" },
] as const;

interface Prediction {
  readonly id: number;
  readonly text: string;
  readonly rank: number;
  readonly probability: number;
}

export function standardExport({ tokens, reading, vocabularySize }: StandardState): ViewExport {
  const { position, layers } = reading;
  const read = tokens[position];
  const actual = tokens[position + 1] ?? null;
  // The actual token has its row too where it is outside the top k.
  const predictionsOf = (layer: Reading["layers"][number]): Prediction[] => {
    const top = layer.predictions.map(({ token_id, text, rank, probability }) => ({
      id: token_id,
      text,
      rank,
      probability,
    }));
    return actual === null || layer.actual === null || top.some(({ id }) => id === actual.id)
      ? top
      : [...top, { id: actual.id, text: losslessTextOf(actual), ...layer.actual }];
  };
  const readText = read === undefined ? "" : `“${cellText(read)}”`;
  const probabilities: ShownProbability[] = layers.flatMap((layer) =>
    predictionsOf(layer).map(({ id, rank, probability }) => ({
      position,
      layer: layer.layer,
      tokenIds: [id],
      probability,
      rank,
    })),
  );
  const predictions: ShownPrediction[] = layers.map((layer) => ({
    position,
    layer: layer.layer,
    entropyNats: layer.entropy_nats,
    klToFinalNats: layer.kl_to_final_nats,
  }));
  return {
    title:
      actual === null
        ? `What is predicted after ${readText}, layer by layer`
        : `How “${cellText(actual)}” was predicted, layer by layer`,
    facts: [
      `Read at index ${position} ${readText}, predicts index ${position + 1}${actual === null ? " (nothing there yet)" : ` “${cellText(actual)}”`}`,
      "The most probable tokens of each layer; entropy and KL(final ‖ layer) in nats",
    ],
    place: `${position}-${actual?.text ?? "next"}`,
    table: {
      columns: COLUMNS,
      rows: layers.flatMap((layer) =>
        predictionsOf(layer).map(({ id, text, rank, probability }): Cell[] => [
          layer.layer,
          layer.label,
          position,
          read?.id ?? null,
          read?.text ?? null,
          position + 1,
          id,
          text,
          actual === null ? null : Number(id === actual.id),
          rank,
          probability,
          probability > 0 ? Math.log(probability) : null,
          layer.entropy_nats,
          layer.kl_to_final_nats,
        ]),
      ),
    },
    columns: null,
    draw: (layout) => drawLayers({ layers, actual, vocabularySize }, layout),
    places: layers.map(({ layer }) => ({ position, layer })),
    script: ({ lens, model, interventions }) =>
      timelineScript([{ lens, tokens, probabilities, predictions, interventions }], model),
  };
}
