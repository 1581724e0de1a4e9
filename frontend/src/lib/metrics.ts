/** What a heatmap cell can be coloured by: value, scale, unit and words for each. */
import type { Scale } from "./colour";
import { roundUp } from "./colour";
import type { LensColumns } from "./columns";
import { formatNats, formatProbability, formatRank } from "./format";

export type MetricId = "top_probability" | "next_probability" | "next_rank" | "entropy" | "kl";

export interface MetricRange {
  readonly vocabularySize: number;
  /** Largest KL divergence among the cells that set the scale. */
  readonly maxKlNats: number;
}

export interface Metric {
  readonly id: MetricId;
  readonly title: string;
  readonly unit: string;
  /** One sentence: what the number is and which way it reads. */
  readonly explanation: string;
  /** NaN where the cell has no such value. */
  readonly value: (columns: LensColumns, position: number, layer: number) => number;
  readonly scale: (range: MetricRange) => Scale;
  readonly format: (value: number) => string;
}

export const METRICS: readonly Metric[] = [
  {
    id: "top_probability",
    title: "Top-1 probability",
    unit: "probability, 0 to 1",
    explanation: "Probability of the layer's own first choice, the token written in the cell.",
    value: (columns, position, layer) => columns.topProbability(position, layer),
    scale: () => ({ kind: "linear", dark: 0, bright: 1 }),
    format: formatProbability,
  },
  {
    id: "next_probability",
    title: "Probability of the actual next token",
    unit: "probability, 0 to 1",
    explanation: "Probability that the layer gives to the token that really follows.",
    value: (columns, position, layer) => columns.nextProbability(position, layer),
    scale: () => ({ kind: "linear", dark: 0, bright: 1 }),
    format: formatProbability,
  },
  {
    id: "next_rank",
    title: "Rank of the actual next token",
    unit: "rank, log scale; 1 is the first choice",
    explanation: "Place of the token that really follows among the whole vocabulary.",
    value: (columns, position, layer) => columns.nextRank(position, layer),
    scale: ({ vocabularySize }) => ({ kind: "log", dark: Math.max(2, vocabularySize), bright: 1 }),
    format: formatRank,
  },
  {
    id: "entropy",
    title: "Entropy",
    unit: "nats; 0 is certain",
    explanation: "How spread out the layer's prediction is over the vocabulary.",
    value: (columns, position, layer) => columns.entropyNats(position, layer),
    scale: ({ vocabularySize }) => ({
      kind: "linear",
      dark: Math.log(Math.max(2, vocabularySize)),
      bright: 0,
    }),
    format: formatNats,
  },
  {
    id: "kl",
    title: "KL to final",
    unit: "nats, KL(final ‖ layer); 0 is the output itself",
    explanation: "How far the layer's prediction is from the model's output.",
    value: (columns, position, layer) => columns.klToFinalNats(position, layer),
    scale: ({ maxKlNats }) => ({ kind: "linear", dark: roundUp(maxKlNats), bright: 0 }),
    format: formatNats,
  },
];
