/** The probability of a token over the strength of an intervention, beside a random direction. */
import { call, client, unwrap } from "@/base/client";
import { modelKey } from "@/model/identity";
import { textKey } from "@/model/textKey";
import type { Intervention, Timeline } from "@/model/timeline";
import type { DoseRequest, DoseResponse } from "@/types/schemas";
import { lane } from "./lens";
import { passingAfter, readability } from "./readability";
import { ofModel } from "./requests";
import { sourceOf } from "./source";
import { type SingleReading, useReading } from "./useReading";

export interface DosePoint {
  readonly strength: number;
  readonly target: number;
  /** Under the random direction. */
  readonly control: number;
}

export interface DoseQuestion {
  readonly position: number;
  readonly tokenId: number;
  /** Their strengths are replaced. */
  readonly interventions: readonly Intervention[];
  readonly strengths: readonly number[];
}

/** The curve, in the order of the strengths. */
export function useDose(
  timeline: Timeline,
  { position, tokenId, interventions, strengths }: DoseQuestion,
): SingleReading<readonly DosePoint[]> {
  const { conversationId, model, tokens } = timeline;
  const asked: Omit<DoseRequest, "conversation_id" | "token_ids"> = {
    interventions: [...interventions],
    strengths: [...strengths],
    targets: [tokenId],
    position,
  };
  return useReading({
    key: ["dose", modelKey(model), conversationId, textKey(tokens, tokens.length), asked],
    readable: readability(timeline),
    isAsked: position >= 0 && position < tokens.length,
    ask: (signal) =>
      lane.afterwards(async () => {
        const body = { ...sourceOf(conversationId, tokens), ...asked };
        return ofModel(unwrap(await call(() => client.POST("/api/dose", { body, signal }))), model);
      }),
    merge: pointsOf,
    passing: passingAfter(timeline),
  });
}

const pointsOf = ({ strengths, tokens, control }: DoseResponse): readonly DosePoint[] =>
  strengths.map((strength, i) => ({
    strength,
    target: tokens[0]?.probability[i] ?? Number.NaN,
    control: control?.[0]?.probability[i] ?? Number.NaN,
  }));
