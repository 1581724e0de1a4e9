/** How far a token can be read at each layer of one position, in the plain model. */
import { modelKey } from "@/model/identity";
import { textKey } from "@/model/textKey";
import type { Timeline } from "@/model/timeline";
import type { LensReadResponse } from "@/types/schemas";
import { lane } from "./lens";
import { passingAfter, readability } from "./readability";
import { fetchLens } from "./requests";
import { sourceOf } from "./source";
import type { TargetScore } from "./underInterventions";
import { type SingleReading, useReading } from "./useReading";

/** Layer 0 first. */
export function useTargetByLayer(
  timeline: Timeline,
  position: number,
  tokenId: number | null,
): SingleReading<readonly TargetScore[]> {
  const { conversationId, model, tokens } = timeline;
  return useReading({
    key: [
      "target by layer",
      modelKey(model),
      conversationId,
      textKey(tokens, tokens.length),
      position,
      tokenId,
    ],
    readable: readability(timeline),
    isAsked: tokenId !== null && position >= 0 && position < tokens.length,
    ask: (signal) =>
      lane.afterwards(() =>
        fetchLens(
          {
            ...sourceOf(conversationId, tokens),
            interventions: [],
            positions: [position, position + 1],
            targets: tokenId === null ? [] : [tokenId],
            top_k: 1,
            include_tokens: false,
          },
          model,
          signal,
        ),
      ),
    merge: scoresOf,
    passing: passingAfter(timeline),
  });
}

const scoresOf = ({ layers, targets }: LensReadResponse): readonly TargetScore[] =>
  layers.map((_, row) => ({
    probability: targets[0]?.probability[row]?.[0] ?? Number.NaN,
    rank: targets[0]?.rank[row]?.[0] ?? 0,
  }));
