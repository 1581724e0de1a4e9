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
  /** Up to the largest value that there can be, whatever was read. */
  readonly isFull: boolean;
}

/** The cell of a metric that stands out most. */
export interface Extreme {
  /** Which cell it is, as the beginning of a sentence that the metric's short name goes on. */
  readonly name: string;
  readonly isHighest: boolean;
  /** Stands after its value. */
  readonly unit: string;
  /** It is looked for in every layer, or in the output only, where the lower layers would always win. */
  readonly layers: "all" | "output";
}

/** The cells from a position and a layer on. */
export interface Corner {
  readonly position: number;
  readonly layer: number;
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
   * The first position and layer whose values a scale is fitted to; null where the scale is the same for
   * every conversation. What concerns the first token and the embedding often dwarfs all the rest.
   */
  readonly fittedFrom: Corner | null;
  /** The scale can also go up to the largest value that there can be; these words name it. */
  readonly fullRange?: string;
  /** What its smallest and its largest value mean. */
  readonly ends?: { readonly low: string; readonly high: string };
  readonly extreme: Extreme;
  /** Zero is a middle, and the sign matters. */
  readonly isSigned: boolean;
  readonly format: (value: number) => string;
}

export const METRICS: readonly [Metric, ...Metric[]] = [
  {
    id: "top_probability",
    title: "Top-1 probability",
    unit: "probability, 0 to 1",
    explanation:
      "Probability of the layer’s top-1 prediction, which is written in cells that have room for it.",
    value: (columns, position, layer) => columns.topProbability(position, layer),
    scale: () => ({ kind: "linear", dark: 0, bright: 1 }),
    fittedFrom: null,
    extreme: { name: "Lowest top-1 probability", unit: "", isHighest: false, layers: "all" },
    isSigned: false,
    format: formatProbability,
  },
  {
    id: "next_probability",
    title: "Probability of the actual next token",
    unit: "probability, 0 to 1",
    explanation: "Probability that the layer gives to the actual next token.",
    value: (columns, position, layer) => columns.nextProbability(position, layer),
    scale: () => ({ kind: "linear", dark: 0, bright: 1 }),
    fittedFrom: null,
    extreme: {
      name: "Lowest probability of the actual next token at the output",
      unit: "",
      isHighest: false,
      layers: "output",
    },
    isSigned: false,
    format: formatProbability,
  },
  {
    id: "next_rank",
    title: "Rank of the actual next token",
    unit: "rank, log scale; 1 is the top-1 prediction",
    explanation: "Rank of the actual next token among the whole vocabulary.",
    value: (columns, position, layer) => columns.nextRank(position, layer),
    scale: ({ vocabularySize }) => ({ kind: "log", dark: Math.max(2, vocabularySize), bright: 1 }),
    fittedFrom: null,
    extreme: {
      name: "Highest rank of the actual next token at the output",
      unit: "",
      isHighest: true,
      layers: "output",
    },
    isSigned: false,
    format: formatRank,
  },
  {
    id: "entropy",
    title: "Entropy",
    unit: "nats; high is uncertain",
    explanation: "How spread out the layer's prediction is over the vocabulary.",
    value: (columns, position, layer) => columns.entropyNats(position, layer),
    scale: ({ vocabularySize, largest, isFull }) => ({
      kind: "linear",
      // A tenth of a nat further, so that the scale does not change with every token of a reply.
      dark: isFull || largest === 0 ? Math.log(Math.max(2, vocabularySize)) : Math.ceil(10 * largest) / 10,
      bright: 0,
    }),
    fittedFrom: { position: 0, layer: 0 },
    fullRange: "Full range, up to a uniform prediction",
    ends: { low: "certain", high: "uncertain" },
    extreme: { name: "Highest entropy", unit: " nats", isHighest: true, layers: "all" },
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
    fittedFrom: { position: 1, layer: 1 },
    extreme: { name: "Highest KL to final", unit: " nats", isHighest: true, layers: "all" },
    isSigned: false,
    format: formatNats,
  },
  {
    id: "next_logprob_change",
    title: "Delta log-prob. of the actual next token",
    unit: "nats, a layer minus the one below it; 0 is no change",
    explanation: "How much the layer raised or lowered the log-probability of the actual next token.",
    value: (columns, position, layer) => {
      // A float32 zero is an underflow, whose logarithm nobody knows.
      const [below, here] = [
        columns.nextProbability(position, columns.below(layer)),
        columns.nextProbability(position, layer),
      ];
      return layer > 0 && below > 0 && here > 0 ? Math.log(here) - Math.log(below) : Number.NaN;
    },
    scale: ({ largest }) => ({ kind: "linear", dark: -roundUp(largest), bright: roundUp(largest) }),
    fittedFrom: { position: 1, layer: 2 },
    extreme: { name: "Largest rise", unit: " nats", isHighest: true, layers: "all" },
    isSigned: true,
    format: (value) => (value > 0 ? `+${formatNats(value)}` : formatNats(value)),
  },
];

export interface Found extends Corner {
  readonly value: number;
}

/** The cell that stands out, among those that set the scale; null where no value is read. */
export function extremeOf(metric: Metric, columns: LensColumns, nPositions: number): Found | null {
  const { isHighest, layers } = metric.extreme;
  const from = metric.fittedFrom ?? { position: 0, layer: layers === "all" ? 1 : 0 };
  const first = layers === "output" ? columns.last : from.layer;
  let found: Found | null = null;
  for (let { position } = from; position < nPositions; position += 1) {
    if (!columns.isRead(position)) continue;
    for (const layer of columns.layers) {
      if (layer < first) continue;
      const value = metric.value(columns, position, layer);
      if (Number.isNaN(value)) continue;
      if (found === null || (isHighest ? value > found.value : value < found.value)) {
        found = { position, layer, value };
      }
    }
  }
  return found;
}

/** Largest size of the metric from a position and a layer on; 0 where nothing is read. */
export function largestValue(
  metric: Metric,
  columns: LensColumns,
  nPositions: number,
  first: Corner,
): number {
  let largest = 0;
  for (let { position } = first; position < nPositions; position += 1) {
    if (!columns.isRead(position)) continue;
    for (const layer of columns.layers) {
      if (layer < first.layer) continue;
      const size = Math.abs(metric.value(columns, position, layer));
      if (size > largest) largest = size;
    }
  }
  return largest;
}
