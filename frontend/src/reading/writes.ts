/** What the attention and the MLP of a block promoted and suppressed at one position. */
import { call, client, unwrap } from "@/base/client";
import { modelKey } from "@/model/identity";
import { withLosslessText } from "@/model/losslessTexts";
import { textKey } from "@/model/textKey";
import type { ModelIdentity, Timeline } from "@/model/timeline";
import type { WritesRequest, WritesResponse } from "@/types/schemas";
import { lane } from "./lens";
import { passingAfter, readability } from "./readability";
import { ofModel } from "./requests";
import { sourceOf } from "./source";
import { type SingleReading, useReading } from "./useReading";

/** Tokens in each list. */
const LISTED = 8;

const asItIs = (answer: WritesResponse): WritesResponse => answer;

/** One request for one block of one position. */
export function useWrites(
  timeline: Timeline,
  position: number,
  block: number,
): SingleReading<WritesResponse> {
  const { conversationId, model, tokens } = timeline;
  return useReading({
    key: ["writes", modelKey(model), conversationId, textKey(tokens, position + 1), position, block],
    readable: readability(timeline),
    isAsked: position < tokens.length,
    ask: (signal) => {
      const body = { ...sourceOf(conversationId, tokens), position, block, top_k: LISTED };
      return lane.first(() => fetchWrites(body, model, signal));
    },
    merge: asItIs,
    passing: passingAfter(timeline),
  });
}

/** What `model` wrote; the answer of another one is refused. */
async function fetchWrites(
  body: WritesRequest,
  model: ModelIdentity | null,
  signal: AbortSignal,
): Promise<WritesResponse> {
  const answer = ofModel(unwrap(await call(() => client.POST("/api/writes", { body, signal }))), model);
  return {
    ...answer,
    writes: answer.writes.map((write) => ({
      ...write,
      promoted: write.promoted.map(withLosslessText),
      suppressed: write.suppressed.map(withLosslessText),
    })),
  };
}
