/** The Heatmap view to take away: every cell of the chosen range, or of all, not only those on the screen. */
import { type Span, within } from "@/base/span";
import { DIVERGING, RAMPS, type RampName, SECOND_HUE, type Scale } from "@/charts/colour/colour";
import type { Drawing, FigureLayout } from "@/charts/figure/figure";
import { drawHeatmap } from "@/charts/heatmap/drawing";
import { timelineScript } from "@/features/export/timelineScript";
import type { ViewExport } from "@/features/export/viewExport";
import type { Cell } from "@/features/export/table";
import type { LayerLabels } from "@/model/layers";
import type { Token } from "@/model/timeline";
import { cellText, cellTextOfText } from "@/model/tokens";
import type { LensColumns } from "@/reading/columns";
import { type Answer, lensCells, lensHeads } from "./lensCells";
import type { Metric } from "./metrics";

export interface HeatmapState {
  readonly tokens: readonly Token[];
  readonly columns: LensColumns;
  /** The range that was chosen; null for the whole conversation. */
  readonly range: Span | null;
  readonly layerLabels: LayerLabels;
  readonly metric: Metric;
  readonly scale: Scale;
  readonly rampName: RampName | "diverging";
  readonly answer: Answer;
  /** The columns on the screen. */
  readonly shown: Span;
}

const COLUMNS = [
  { key: "layer", unit: null },
  { key: "layer_label", unit: null },
  { key: "read_at_index", unit: null },
  { key: "read_at_token_id", unit: null },
  { key: "read_at_text", unit: null },
  { key: "predicts_index", unit: null },
  { key: "next_token_id", unit: null },
  { key: "next_text", unit: null },
  { key: "top_id", unit: null },
  { key: "top_text", unit: null },
  { key: "top_probability", unit: "0 to 1" },
  { key: "next_probability", unit: "0 to 1" },
  { key: "next_rank", unit: "1 is the most probable" },
  { key: "entropy_nats", unit: "nats" },
  { key: "kl_to_final_nats", unit: "nats" },
] as const;

const ANSWER_FACTS: Readonly<Record<Exclude<Answer, "off">, string>> = {
  output: "Brown to pink: top-1 equals final-layer top-1",
  actual: "Brown to pink: top-1 equals the actual next token",
};

export function heatmapExport(state: HeatmapState): ViewExport {
  const { tokens, columns, layerLabels, metric } = state;
  const span = spanOf(state);
  const inSpan = tokens.slice(span.start, span.end).map((token) => token.index);
  const positions = inSpan.filter((position) => columns.isRead(position));
  const cells = columns.layers.flatMap((layer) =>
    positions.map((position) => columns.cell(position, layer)).filter((cell) => cell !== null),
  );
  const unread = inSpan.length - positions.length;
  const probabilities = cells.flatMap(
    ({ position, layer, predictions: [top], nextProbability, nextRank }) => {
      const next = tokens[position + 1];
      return [
        ...(top === undefined
          ? []
          : [{ position, layer, tokenIds: [top.tokenId], probability: top.probability, rank: 1 }]),
        ...(next === undefined || next.id === top?.tokenId || nextProbability === null
          ? []
          : [{ position, layer, tokenIds: [next.id], probability: nextProbability, rank: nextRank }]),
      ];
    },
  );
  const predictions = cells.map(({ position, layer, entropyNats, klToFinalNats }) => ({
    position,
    layer,
    entropyNats,
    klToFinalNats,
  }));
  return {
    title: "Layers by tokens",
    facts: [
      `Coloured by ${metric.title}: ${metric.explanation}`,
      "A column is read at its token and predicts the next one; ◥ marks a top-1 prediction that is the actual next token",
      ...(state.answer === "off" ? [] : [ANSWER_FACTS[state.answer]]),
      ...(state.range === null
        ? []
        : [`Read at index ${span.start} to ${span.end - 1} of a conversation of ${tokens.length} tokens`]),
      ...(unread === 0 ? [] : [`Not read: ${unread} of ${inSpan.length} positions`]),
    ],
    place: `${span.start}-${span.end - 1}-${metric.id}`,
    table: {
      columns: COLUMNS,
      rows: cells.map((cell): Cell[] => {
        const next = tokens[cell.position + 1];
        const top = cell.predictions[0];
        return [
          cell.layer,
          layerLabels[cell.layer] ?? "",
          cell.position,
          tokens[cell.position]?.id ?? null,
          tokens[cell.position]?.text ?? null,
          cell.position + 1,
          next?.id ?? null,
          next?.text ?? null,
          top?.tokenId ?? null,
          top?.text ?? null,
          top?.probability ?? null,
          cell.nextProbability,
          cell.nextRank,
          cell.entropyNats,
          cell.klToFinalNats,
        ];
      }),
    },
    columns: { of: "Index", all: span, shown: within(state.shown, span) },
    draw: (layout) => draw(state, layout),
    places: cells,
    script: ({ lens, model, interventions }) =>
      timelineScript([{ lens, tokens, probabilities, predictions, interventions }], model),
  };
}

const spanOf = ({ tokens, range }: HeatmapState): Span => ({
  start: range?.start ?? 0,
  end: Math.min(range?.end ?? tokens.length, tokens.length),
});

function draw(state: HeatmapState, layout: FigureLayout): Drawing {
  const { tokens, columns, layerLabels, metric, answer, scale, rampName } = state;
  const tokenIds = tokens.map((token) => token.id);
  const tokenTexts = tokens.map(cellText);
  const ramp = rampName === "diverging" ? DIVERGING[layout.theme] : RAMPS[rampName];
  return drawHeatmap(
    {
      scale,
      ramp,
      answerRamp: rampName === "diverging" ? ramp : SECOND_HUE[rampName],
      span: layout.columns ?? spanOf(state),
      cells: lensCells({ columns, metric, answer, tokenIds }),
      layers: columns.layers,
      layerLabels,
      heads: lensHeads(tokenTexts),
      turnedHead: (position) => `${position} ${tokenTexts[position] ?? ""}`,
      textOf: (id) => cellTextOfText(columns.text(id)),
      unit: metric.unit,
    },
    layout,
  );
}
