/** How a token's probability and rank move over the layers, and what is drawn of it. */
import { formatLogprob, formatNats, formatProbability, formatRank } from "@/model/format";

/** One token at one position, layer 0 first. */
export interface Curve {
  readonly tokenId: number;
  readonly text: string;
  /** Where its values are read: half layers too, where these are shown. */
  readonly layers: readonly number[];
  readonly probability: readonly number[];
  /** Null for a sum: a rank is that of one token. */
  readonly rank: readonly number[] | null;
  /** Known only at the layers where the token is among the top predictions; NaN at the others. */
  readonly isPartial?: true;
}

export type TrajectoryMetric = "probability" | "logprob" | "rank";

export const TRAJECTORY_METRICS = [
  { value: "probability", label: "Probability", hint: "0 to 1, on a linear scale", unit: "probability" },
  { value: "logprob", label: "Log-prob.", hint: "ln of the probability", unit: "log-probability, nats" },
  {
    value: "rank",
    label: "Rank",
    hint: "1 is the top-1 prediction; on a log scale",
    unit: "rank, log scale",
  },
] as const satisfies readonly {
  readonly value: TrajectoryMetric;
  readonly label: string;
  readonly hint: string;
  readonly unit: string;
}[];

/** The unit of an axis or a column. */
export const metricUnit = (metric: TrajectoryMetric): string =>
  TRAJECTORY_METRICS.find(({ value }) => value === metric)?.unit ?? "";

/** What one layer says of a series. */
export interface Reading {
  readonly probability: number;
  readonly rank: number | null;
}

export function readingAt(curve: Curve | null, layer: number): Reading | null {
  const row = curve?.layers.indexOf(layer) ?? -1;
  const probability = curve?.probability[row];
  const rank = curve?.rank?.[row] ?? Number.NaN;
  return probability === undefined ? null : { probability, rank: Number.isNaN(rank) ? null : rank };
}

/**
 * The probability that one of several different tokens follows: that of a single one, or the sum.
 * Null while one of them is not read. Each was rounded on its own, so a sum is kept from passing 1.
 */
export function sumOf(curves: readonly (Curve | null)[]): Curve | null {
  const [first] = curves;
  if (first === undefined || first === null) return null;
  if (curves.length === 1) return first;
  const read = curves.filter((curve) => curve !== null);
  if (read.length < curves.length || read.some((curve) => curve.layers.length !== first.layers.length)) {
    return null;
  }
  return {
    tokenId: first.tokenId,
    text: first.text,
    layers: first.layers,
    probability: first.layers.map((_, layer) =>
      Math.min(
        1,
        read.reduce((sum, curve) => sum + (curve.probability[layer] ?? Number.NaN), 0),
      ),
    ),
    rank: null,
  };
}

/** What is drawn at each layer; null where there is nothing to draw: a rank of a sum, the log of an underflow. */
export function plotted(curve: Curve | null, metric: TrajectoryMetric): (number | null)[] {
  if (curve === null) return [];
  switch (metric) {
    case "probability":
      return curve.probability.map((probability) => (Number.isNaN(probability) ? null : probability));
    case "logprob":
      return curve.probability.map((probability) => (probability > 0 ? Math.log(probability) : null));
    case "rank":
      return curve.layers.map((_, layer) => {
        const rank = curve.rank?.[layer] ?? Number.NaN;
        return Number.isNaN(rank) ? null : rank;
      });
  }
}

/** A reading in the words of one metric. */
export function formatReading(reading: Reading | null, metric: TrajectoryMetric): string {
  switch (metric) {
    case "probability":
      return formatProbability(reading?.probability ?? null);
    case "logprob":
      return formatLogprob(reading?.probability ?? null);
    case "rank":
      return formatRank(reading?.rank ?? null);
  }
}

/** A value of the y axis, as short as it can be. */
export function formatTick(value: number, metric: TrajectoryMetric): string {
  if (metric === "rank") return formatRank(value);
  if (metric === "logprob")
    return Number.isInteger(value) ? String(value).replace("-", "−") : formatNats(value);
  return value === 0 || value >= 0.001 ? String(Number(value.toPrecision(3))) : formatProbability(value);
}
