/** What a token reads, for the views. */
import { modelKey } from "@/model/identity";
import { textKey } from "@/model/textKey";
import type { Timeline } from "@/model/timeline";
import type { AttentionRequest, AttentionResponse } from "@/types/schemas";
import { lane } from "./lens";
import { passingAfter, readability } from "./readability";
import { fetchAttention } from "./requests";
import { sourceOf } from "./source";
import { type SingleReading, useReading } from "./useReading";

/** What is read of a position. */
export type AttentionQuestion = Required<Pick<AttentionRequest, "position" | "kind" | "foil">>;

/** The rows of one position in every block and head; `position` below 0 asks for nothing. */
export function useAttention(
  timeline: Timeline,
  { position, kind, foil }: AttentionQuestion,
): SingleReading<AttentionResponse> {
  const { conversationId, model, tokens } = timeline;
  return useReading({
    // With the token that follows, which is the target; only logits have one.
    key: [
      "attention",
      modelKey(model),
      conversationId,
      textKey(tokens, position + 2),
      position,
      kind,
      kind === "logit" ? foil : null,
    ],
    readable: readability(timeline),
    isAsked: position >= 0 && position < tokens.length,
    ask: (signal) =>
      lane.first(() =>
        fetchAttention({ ...sourceOf(conversationId, tokens), position, kind, foil }, model, signal),
      ),
    merge: asAnswered,
    passing: passingAfter(timeline),
  });
}

const asAnswered = (answer: AttentionResponse): AttentionResponse => answer;
