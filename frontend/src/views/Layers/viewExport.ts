/** The Layers view to take away: each word shown with what it stands for, at one layer. */
import { timelineScript } from "@/features/export/timelineScript";
import type { ViewExport } from "@/features/export/viewExport";
import type { Cell } from "@/features/export/table";
import { layerLabel, layerTitle } from "@/model/layers";
import type { Token } from "@/model/timeline";
import type { LensColumns } from "@/reading/columns";
import type { LayersChoices } from "./choices";
import { drawWords } from "./drawWords";
import { type Agreement, type LayerWord, countWords, layerSentence } from "./layerWords";
import type { Passage } from "./passages";
import type { WordForms } from "./wordForms";

export interface LayersState {
  readonly tokens: readonly Token[];
  readonly columns: LensColumns;
  readonly passages: readonly Passage[];
  /** Those of the passages, in their order. */
  readonly words: readonly LayerWord[];
  readonly agreement: Agreement | null;
  readonly layer: number;
  readonly last: number;
  readonly forms: WordForms;
  readonly choices: LayersChoices;
}

const COLUMNS = [
  { key: "index", unit: null },
  { key: "token_id", unit: null },
  { key: "token_text", unit: null },
  { key: "role", unit: null },
  { key: "read_at_index", unit: null },
  { key: "layer", unit: null },
  { key: "layer_label", unit: null },
  { key: "predicted_id", unit: null },
  { key: "predicted_text", unit: null },
  { key: "predicted_probability", unit: "0 to 1" },
  { key: "actual_rank", unit: "1 is the most probable" },
  { key: "actual_probability", unit: "0 to 1" },
  { key: "is_actual", unit: "1 for the actual token" },
  { key: "is_output_choice", unit: "1 for the final-layer top-1" },
  { key: "has_changed", unit: "1 for another top-1 prediction than at the layer below" },
] as const;

export function layersExport(state: LayersState): ViewExport {
  const { tokens, columns, words, layer, last, choices } = state;
  const counts = countWords(words);
  const cells = words.flatMap((word) => {
    const cell = word.kind === "first" ? null : columns.cell(word.index - 1, layer);
    const top = cell?.predictions[0];
    return cell === null || top === undefined ? [] : [{ word, cell, top }];
  });
  const shown = choices.scope === "reply" ? "the reply" : "the conversation";
  const probabilities = cells.flatMap(({ word, cell: { position, nextProbability, nextRank }, top }) => {
    const actual = tokens[word.index];
    return [
      { position, layer, tokenIds: [top.tokenId], probability: top.probability, rank: 1 },
      ...(actual === undefined || actual.id === top.tokenId || nextProbability === null
        ? []
        : [{ position, layer, tokenIds: [actual.id], probability: nextProbability, rank: nextRank }]),
    ];
  });
  return {
    title: `${layerTitle(layer)}: ${shown}, token by token`,
    facts: [
      layerSentence(counts, layer, last, layer - columns.below(layer)),
      "Each word is the layer’s top-1 prediction, read at the token before and after the actual tokens before it; no layer wrote this text",
      ...(counts.nRead < counts.nPredicted
        ? [`Not read: ${counts.nPredicted - counts.nRead} of ${counts.nPredicted} tokens`]
        : []),
    ],
    place: `${words[0]?.index ?? 0}-${words.at(-1)?.index ?? 0}-layer-${layerLabel(layer)}`,
    table: {
      columns: COLUMNS,
      rows: cells.map(({ word, cell, top }): Cell[] => {
        const token = tokens[word.index];
        return [
          word.index,
          token?.id ?? null,
          token?.text ?? null,
          token?.role ?? null,
          cell.position,
          layer,
          layerLabel(layer),
          top.tokenId,
          top.text,
          top.probability,
          cell.nextRank,
          cell.nextProbability,
          Number(word.kind === "actual"),
          Number(top.tokenId === columns.topId(cell.position, last)),
          layer === 0 ? null : Number(word.hasChanged),
        ];
      }),
    },
    columns: null,
    draw: (layout) => drawWords(state, layout),
    places: cells.map(({ cell: { position } }) => ({ position, layer })),
    script: ({ lens, model, interventions }) =>
      timelineScript([{ lens, tokens, probabilities, predictions: [], interventions }], model),
  };
}
