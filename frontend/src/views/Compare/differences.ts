/** How two predictions are compared: value, scale, unit and words of each measure, and the layers at which they differ. */
import { type Scale, roundUp } from "@/charts/colour/colour";
import { formatNats, formatProbability } from "@/model/format";
import type { FirstChoices, Pair, PairColumns, TargetColumns } from "./pairColumns";

export const DIFFERENCE_IDS = ["js", "kl_a_to_b", "kl_b_to_a", "target"] as const;
export type DifferenceId = (typeof DIFFERENCE_IDS)[number];

/** What is read of two timelines. */
export interface Compared {
  readonly pairs: PairColumns;
  /** Null while no token is chosen. */
  readonly target: TargetColumns | null;
}

export interface Difference {
  readonly id: DifferenceId;
  readonly title: string;
  /** For the palette: "Compare by …". */
  readonly name: string;
  readonly unit: string;
  /** One sentence: what the number is and which way it reads. */
  readonly explanation: string;
  /** NaN where it is not read. */
  readonly value: (compared: Compared, pair: Pair, row: number) => number;
  /** `largest` is the largest size of a value among the cells that set the scale. */
  readonly scale: (largest: number) => Scale;
  /** The scale ends where the values do. */
  readonly isFitted: boolean;
  readonly isSigned: boolean;
  readonly format: (value: number) => string;
}

const upTo = (largest: number): Scale => ({ kind: "linear", dark: 0, bright: roundUp(largest) });

export const DIFFERENCES: readonly [Difference, ...Difference[]] = [
  {
    id: "js",
    title: "Jensen–Shannon",
    name: "Jensen–Shannon divergence",
    unit: "nats; 0 is the same, ln 2 nothing in common",
    explanation:
      "Mean of the divergences of A and of B from their average: the same both ways, and at most ln 2.",
    value: ({ pairs }, pair, row) => pairs.jsNats(pair, row),
    scale: () => ({ kind: "linear", dark: 0, bright: Math.LN2 }),
    isFitted: false,
    isSigned: false,
    format: formatNats,
  },
  {
    id: "kl_a_to_b",
    title: "KL(A ‖ B)",
    name: "KL(A ‖ B)",
    unit: "nats, KL(A ‖ B); 0 is the same prediction",
    explanation:
      "Extra nats when tokens drawn from A are coded with B: large where B gives a low probability to what A predicts.",
    value: ({ pairs }, pair, row) => pairs.klAToBNats(pair, row),
    scale: upTo,
    isFitted: true,
    isSigned: false,
    format: formatNats,
  },
  {
    id: "kl_b_to_a",
    title: "KL(B ‖ A)",
    name: "KL(B ‖ A)",
    unit: "nats, KL(B ‖ A); 0 is the same prediction",
    explanation:
      "Extra nats when tokens drawn from B are coded with A: large where A gives a low probability to what B predicts.",
    value: ({ pairs }, pair, row) => pairs.klBToANats(pair, row),
    scale: upTo,
    isFitted: true,
    isSigned: false,
    format: formatNats,
  },
  {
    id: "target",
    title: "Probability of a token",
    name: "the probability of a token",
    unit: "probability in B minus that in A; 0 is no difference",
    explanation: "How much more probable the chosen token is in B than in A.",
    value: ({ target }, pair, row) => {
      const place = target?.target(pair, row) ?? null;
      return place === null ? Number.NaN : place.bProbability - place.aProbability;
    },
    scale: (largest) => ({ kind: "linear", dark: -roundUp(largest), bright: roundUp(largest) }),
    isFitted: true,
    isSigned: true,
    format: (value) =>
      value === 0 || Number.isNaN(value)
        ? value === 0
          ? "0"
          : formatProbability(null)
        : `${value < 0 ? "−" : "+"}${formatProbability(Math.abs(value))}`,
  },
];

export const differenceOf = (id: DifferenceId): Difference =>
  DIFFERENCES.find((each) => each.id === id) ?? DIFFERENCES[0];

/** The rows at which two predictions are as at the last one. */
export interface Parting {
  /**
   * `differ`: their top-1 predictions differ at the last row and at every row from `from` on;
   * `agree`: they are the same there and at every row from `from` on.
   */
  readonly kind: "differ" | "agree";
  readonly from: number;
  /** The rows before `from` that are as the last one, in order; never the one just before it. */
  readonly earlier: readonly number[];
  /** At the last row. */
  readonly last: FirstChoices;
}

/** Null while a row is not read. */
export function partingOf(rows: readonly (FirstChoices | null)[]): Parting | null {
  const read = rows.filter((row) => row !== null);
  const last = read.at(-1);
  if (last === undefined || read.length < rows.length) return null;
  const isAsLast = (row: FirstChoices): boolean => (row.aId === row.bId) === (last.aId === last.bId);
  const from = read.findLastIndex((row) => !isAsLast(row)) + 1;
  return {
    kind: last.aId === last.bId ? "agree" : "differ",
    from,
    earlier: read.slice(0, from).flatMap((row, i) => (isAsLast(row) ? [i] : [])),
    last,
  };
}
