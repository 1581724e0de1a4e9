/**
 * Numbers as people read them. Small values stay honest: what is not zero never prints as zero, and
 * what is not certain never prints as one.
 */

/** Shown where there is no value. */
export const NO_VALUE = "–";

const scientific = (value: number): string =>
  value.toExponential(1).replace("-", "−").replace("e−", "e-").replace("e+", "e");

/** `0.621`, `0.042`, `0.0042`, `2.1e-6`, `>0.999`. A float32 zero is an underflow: `<1e-45`. */
export function formatProbability(probability: number | null): string {
  if (probability === null || Number.isNaN(probability)) return NO_VALUE;
  if (probability >= 0.9995) return ">0.999";
  if (probability >= 0.01) return probability.toFixed(3);
  if (probability >= 0.001) return probability.toFixed(4);
  return probability === 0 ? "<1e-45" : scientific(probability);
}

/** The same in at most six characters, where there is no room for more: `0.042`, `<0.001`, `>0.999`. */
export const formatShortProbability = (probability: number): string =>
  Number.isNaN(probability) || probability >= 0.9995
    ? formatProbability(probability)
    : probability >= 0.001
      ? probability.toFixed(3)
      : "<0.001";

const integers = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** `50,257` */
export const formatCount = (count: number): string => integers.format(count);

/** A 1-based rank: `1`, `50,257`. */
export const formatRank = (rank: number | null): string =>
  rank === null || rank < 1 ? NO_VALUE : integers.format(rank);

/** Nats without their unit: `1.94`, `0.031`, `2.1e-6`; an exact zero is `0`. */
export function formatNats(nats: number | null): string {
  if (nats === null || Number.isNaN(nats)) return NO_VALUE;
  const size = Math.abs(nats);
  if (size === 0) return "0";
  if (size < 0.001) return scientific(nats);
  const digits = size < 0.01 ? 4 : size < 0.1 ? 3 : size < 100 ? 2 : 1;
  return nats.toFixed(digits).replace("-", "−");
}

/** A signed amount in logits: `+1.57`, `−0.031`, `0`. */
export const formatSigned = (amount: number): string => `${amount > 0 ? "+" : ""}${formatNats(amount)}`;

/** Everything smaller is zero in float32. */
const SMALLEST_FLOAT32 = 2 ** -149;

/** Surprisal in nats of a probability in float32; of an underflow the most that is certain, which it exceeds. */
export const surprisalNats = (probability: number): number =>
  -Math.log(Math.max(probability, SMALLEST_FLOAT32));

/** Surprisal from a log-probability in nats: `0.48`; of an underflow `>103`. */
export const formatSurprisal = (logprobNats: number): string =>
  logprobNats === Number.NEGATIVE_INFINITY ? ">103" : formatNats(-logprobNats);

/** ln of a probability, in nats without their unit: `−0.48`, `−8.02`. A float32 zero is an underflow: `<−103`. */
export const formatLogprob = (probability: number | null): string =>
  probability === 0 ? "<−103" : formatNats(probability === null ? null : Math.log(probability));

/** The score of a patch, without a unit: 0 is the run that is changed, 1 the one that the states come from. */
export const formatScore = (score: number): string => {
  const text = score.toFixed(2);
  return text === "-0.00" ? "0.00" : text;
};
