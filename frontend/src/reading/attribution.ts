/** What wrote a logit, for the views: parts of one token's prediction. */
import { modelKey } from "@/model/identity";
import { textKey } from "@/model/textKey";
import type { Timeline } from "@/model/timeline";
import type { AttributionPart, AttributionRequest, AttributionResponse } from "@/types/schemas";
import { lane } from "./lens";
import { passingAfter, readability } from "./readability";
import { fetchAttribution } from "./requests";
import { sourceOf } from "./source";
import type { SingleReading } from "./useReading";
import { useReadings } from "./useReadings";

/** What is asked about a timeline. */
export type AttributionQuestion = Required<
  Pick<AttributionRequest, "position" | "target" | "foil" | "unit">
> &
  Pick<AttributionRequest, "block" | "head" | "top_k">;

/** The answers to some questions about one timeline, in their order. */
export function useAttributions(
  timeline: Timeline,
  questions: readonly AttributionQuestion[],
): readonly SingleReading<AttributionResponse>[] {
  const { conversationId, model, tokens } = timeline;
  const readable = readability(timeline);
  return useReadings(
    questions.map((question) => ({
      // With the token that follows: by default it is the target.
      key: ["attribution", modelKey(model), conversationId, textKey(tokens, question.position + 2), question],
      readable,
      isAsked: question.position < tokens.length,
      ask: (signal: AbortSignal) =>
        lane.first(() =>
          fetchAttribution({ ...sourceOf(conversationId, tokens), ...question }, model, signal),
        ),
      passing: passingAfter(timeline),
    })),
  );
}

/** The part of a kind that adds most. */
export const largestPart = (
  parts: readonly AttributionPart[],
  kind: AttributionPart["part"],
): AttributionPart | null =>
  parts
    .filter(({ part }) => part === kind)
    .reduce<AttributionPart | null>(
      (best, part) => (best === null || part.contribution > best.contribution ? part : best),
      null,
    );

/** The head that adds most to the difference; null where no head adds anything. */
export function leadingHead({ parts }: AttributionResponse): AttributionPart | null {
  const head = largestPart(parts, "head");
  return head !== null && head.contribution > 0 ? head : null;
}
