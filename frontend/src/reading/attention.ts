/** What a token reads, for the views. */
import { modelKey } from "@/model/identity";
import { textKey } from "@/model/textKey";
import type { Timeline } from "@/model/timeline";
import type { AttentionRequest, AttentionResponse } from "@/types/schemas";
import { type ModelSize, blocksOfRequests } from "./attentionRequests";
import { lane } from "./lens";
import { passingAfter, readability } from "./readability";
import { fetchAttention } from "./requests";
import { sourceOf } from "./source";
import { type SingleReading, useReading } from "./useReading";

/** What is read of a position, or what reads it. */
export type AttentionQuestion = Required<Pick<AttentionRequest, "position" | "kind" | "foil" | "direction">>;

/** The rows of one position in every block and head; `position` below 0 asks for nothing. */
export function useAttention(
  timeline: Timeline,
  { position, kind, foil, direction }: AttentionQuestion,
  size: ModelSize | null,
): SingleReading<AttentionResponse> {
  const { conversationId, model, tokens } = timeline;
  const readable = readability(timeline);
  return useReading({
    // With the token that follows, which is the target; only logits have one.
    key: [
      "attention",
      modelKey(model),
      conversationId,
      textKey(tokens, direction === "reads" ? position + 2 : tokens.length),
      position,
      direction,
      kind,
      kind === "logit" ? foil : null,
    ],
    readable,
    // How much one answer holds follows from the size of the model.
    isAsked: position >= 0 && position < tokens.length && (size !== null || readable !== "ready"),
    ask: async (signal) => {
      const answers: AttentionResponse[] = [];
      const nOthers = direction === "reads" ? position + 1 : tokens.length - position;
      for (const blocks of size === null ? [] : blocksOfRequests(size, nOthers)) {
        const body = { ...sourceOf(conversationId, tokens), position, kind, foil, direction };
        answers.push(
          await lane.first(() => fetchAttention(blocks === null ? body : { ...body, blocks }, model, signal)),
        );
      }
      return answers;
    },
    merge: joined,
    passing: passingAfter(timeline),
  });
}

/** The answers of several requests as one; a sink is known of a block only where one of its rows has it. */
function joined(answers: readonly AttentionResponse[]): AttentionResponse {
  const [first] = answers;
  if (first === undefined) throw new Error("nothing was asked");
  if (answers.length === 1) return first;
  const hasSink = answers.some(({ sink }) => sink !== null);
  const noSink = ({ blocks, n_heads }: AttentionResponse) =>
    blocks.map(() => Array.from({ length: n_heads }, () => 0));
  return {
    ...first,
    blocks: answers.flatMap(({ blocks }) => blocks),
    values: answers.flatMap(({ values }) => values),
    sink: hasSink ? answers.flatMap((answer) => answer.sink ?? noSink(answer)) : null,
    without_pattern: answers.flatMap(({ without_pattern }) => without_pattern),
  };
}
