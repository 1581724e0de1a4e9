/** The head that wrote a token and the word that it read, found on the running model. */
import { useServer } from "@/features/server/server";
import type { Timeline, Token } from "@/model/timeline";
import { largestPart, leadingHead, useAttributions } from "@/reading/attribution";
import type { AttributionResponse } from "@/types/schemas";

export interface LeadingHead {
  readonly block: number;
  readonly head: number;
  readonly answer: AttributionResponse;
  /** Logits that the head adds, and how much of them it read from `word`. */
  readonly contribution: number;
  readonly ofWord: number;
  readonly word: Token;
}

/** `undefined` until it is known; null where no head adds anything, or the model is not split into heads. */
export function useLeadingHead(timeline: Timeline, token: Token): LeadingHead | null | undefined {
  const { model } = useServer();
  const about = { position: token.index - 1, target: null, foil: "best" } as const;
  const canAsk =
    token.index > 0 &&
    model !== null &&
    (["sublayers", "heads", "attention"] as const).every((name) => model.capabilities[name].available);
  const [whole] = useAttributions(timeline, canAsk ? [{ ...about, unit: "head" }] : []);
  const answer = whole?.data ?? null;
  const found = answer === null ? null : leadingHead(answer);
  const [words] = useAttributions(
    timeline,
    found === null ? [] : [{ ...about, unit: "source", block: found.block, head: found.head }],
  );
  const isWaiting = [whole, words].some((each) => each?.status === "loading" || each?.status === "deferred");
  if (model === null || isWaiting) return undefined;
  const read = largestPart(words?.data?.parts ?? [], "source");
  const word = timeline.tokens[read?.source ?? -1];
  if (answer === null || found === null || read === null || word === undefined) return null;
  const { block, head, contribution } = found;
  if (block === null || head === null) return null;
  return { block, head, answer, contribution, ofWord: read.contribution, word };
}
