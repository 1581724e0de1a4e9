/** Long replies at a glance: the strongest surprisal in each stretch of the text. */
import type { Timeline } from "@/model/timeline";
import { sectionsOf } from "./sections";

/** Shorter replies are seen whole. */
export const LONG_REPLY_TOKENS = 200;

export interface SurprisingToken {
  readonly index: number;
  readonly nats: number;
}

/** The tokens of long replies with the surprisal that came with them; empty where there is none. */
export function surprisingTokens(timeline: Timeline): SurprisingToken[] {
  return sectionsOf(timeline).flatMap(({ speaker, start, end }) => {
    if (speaker !== "model" || end - start < LONG_REPLY_TOKENS) return [];
    return timeline.tokens
      .slice(start, end)
      .flatMap(({ index, role, logprob_nats: logprob }) =>
        role === "assistant" && logprob !== null ? [{ index, nats: -logprob }] : [],
      );
  });
}

/** The strongest of the tokens in each of `nBins` stretches; `at` gives the place of a token, from 0 to 1. */
export function strongestIn(
  tokens: readonly SurprisingToken[],
  nBins: number,
  at: (index: number) => number | null,
): (SurprisingToken | null)[] {
  const bins = Array.from({ length: nBins }, (): SurprisingToken | null => null);
  for (const token of tokens) {
    const place = at(token.index);
    if (place === null) continue;
    const bin = Math.min(nBins - 1, Math.max(0, Math.floor(place * nBins)));
    if (token.nats > (bins[bin]?.nats ?? Number.NEGATIVE_INFINITY)) bins[bin] = token;
  }
  return bins;
}

/** The token of the bin nearest to `bin` that has one. */
export function nearestIn(bins: readonly (SurprisingToken | null)[], bin: number): SurprisingToken | null {
  for (let away = 0; away < bins.length; away += 1) {
    const found = bins[bin - away] ?? bins[bin + away];
    if (found) return found;
  }
  return null;
}
