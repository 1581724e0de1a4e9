/** What a heatmap cell can be coloured by: value, scale, unit and words for each. */
import type { Scale } from "@/charts/colour/colour";
import { roundUp } from "@/charts/colour/colour";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import type { LensColumns } from "@/reading/columns";

export type MetricId =
  "top_probability" | "next_probability" | "next_rank" | "entropy" | "kl" | "next_logprob_change";

export interface MetricRange {
  readonly vocabularySize: number;
  /** Largest size of a value among the cells that set the scale. */
  readonly largest: number;
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
  /**
   * The first layer whose values a scale is fitted to; null where the scale is the same for every
   * conversation. What concerns the embedding often dwarfs all the rest.
   */
  readonly fittedFrom: number | null;
  /** Zero is a middle, and the sign matters. */
  readonly isSigned: boolean;
  readonly format: (value: number) => string;
}

export const METRICS: readonly [Metric, ...Metric[]] = [
  {
    id: "top_probability",
    title: "Top-1 probability",
    unit: "probability, 0 to 1",
    explanation: "Probability of the layer's own first choice, the token written in the cell.",
    value: (columns, position, layer) => columns.topProbability(position, layer),
    scale: () => ({ kind: "linear", dark: 0, bright: 1 }),
    fittedFrom: null,
    isSigned: false,
    format: formatProbability,
  },
  {
    id: "next_probability",
    title: "Probability of the actual next token",
    unit: "probability, 0 to 1",
    explanation: "Probability that the layer gives to the token that really follows.",
    value: (columns, position, layer) => columns.nextProbability(position, layer),
    scale: () => ({ kind: "linear", dark: 0, bright: 1 }),
    fittedFrom: null,
    isSigned: false,
    format: formatProbability,
  },
  {
    id: "next_rank",
    title: "Rank of the actual next token",
    unit: "rank, log scale; 1 is the first choice",
    explanation: "Place of the token that really follows among the whole vocabulary.",
    value: (columns, position, layer) => columns.nextRank(position, layer),
    scale: ({ vocabularySize }) => ({ kind: "log", dark: Math.max(2, vocabularySize), bright: 1 }),
    fittedFrom: null,
    isSigned: false,
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
    fittedFrom: null,
    isSigned: false,
    format: formatNats,
  },
  {
    id: "kl",
    title: "KL to final",
    unit: "nats, KL(final ‖ layer); 0 is the output itself",
    explanation: "How far the layer's prediction is from the model's output.",
    value: (columns, position, layer) => columns.klToFinalNats(position, layer),
    scale: ({ largest }) => ({ kind: "linear", dark: roundUp(largest), bright: 0 }),
    fittedFrom: 1,
    isSigned: false,
    format: formatNats,
  },
  {
    id: "next_logprob_change",
    title: "Change of the actual next token",
    unit: "nats of log-probability against the layer below; 0 is no change",
    explanation:
      "How much this block raised or lowered the log-probability of the token that really follows.",
    value: (columns, position, layer) => {
      // A float32 zero is an underflow, whose logarithm nobody knows.
      const [below, here] = [
        columns.nextProbability(position, layer - 1),
        columns.nextProbability(position, layer),
      ];
      return layer > 0 && below > 0 && here > 0 ? Math.log(here) - Math.log(below) : Number.NaN;
    },
    scale: ({ largest }) => ({ kind: "linear", dark: -roundUp(largest), bright: roundUp(largest) }),
    fittedFrom: 2,
    isSigned: true,
    format: (value) => (value > 0 ? `+${formatNats(value)}` : formatNats(value)),
  },
];

/** Largest size of the metric from a position and a layer on; 0 where nothing is read. */
export function largestValue(
  metric: Metric,
  columns: LensColumns,
  nPositions: number,
  first: { readonly position: number; readonly layer: number },
): number {
  let largest = 0;
  for (let { position } = first; position < nPositions; position += 1) {
    if (!columns.isRead(position)) continue;
    for (let { layer } = first; layer < columns.nLayers; layer += 1) {
      const size = Math.abs(metric.value(columns, position, layer));
      if (size > largest) largest = size;
    }
  }
  return largest;
}
