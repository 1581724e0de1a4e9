/** B's own reply: greedy, or sampled as A's was, with the same settings and seed. */
import type { ChatRequest } from "@/features/chat/stream";
import type { SavedConversation } from "@/features/library/conversations";
import { LIMITS } from "@/features/settings/settings";
import type { OtherText } from "./otherSide";
import type { BReply } from "./pair";

type TurnSampling = NonNullable<SavedConversation["turns"][number]["sampling"]>;

/**
 * How the reply at the end of a conversation was sampled; null where that is not known. Of a reply
 * that was stopped the server may keep a token more than the page was sent.
 */
export const samplingOf = (
  turns: readonly SavedConversation["turns"][number][],
  nTokens: number,
): TurnSampling | null =>
  turns.findLast((turn) => turn.reply_start < nTokens && nTokens <= turn.end)?.sampling ?? null;

/** The settings of A's reply for `sampled`, at temperature 0 otherwise. `nReply` bounds B where A's settings are not known. */
export function replySampling(
  reply: BReply,
  known: TurnSampling | null,
  nReply: number,
): ReplySampling | null {
  if (reply === "sampled") return known;
  const { max_new_tokens = Math.max(1, nReply), stop = [] } = known ?? {};
  return { temperature: 0, max_new_tokens, stop };
}

type ReplySampling = NonNullable<ChatRequest["sampling"]> & Pick<TurnSampling, "max_new_tokens" | "stop">;

/**
 * `templateStop`: strings that end a reply in chat mode. The stored settings name them among the
 * others, and the server adds them by itself.
 */
export function replyRequest(
  { messages, prompt, bos }: OtherText,
  mode: "chat" | "completion",
  sampling: ReplySampling,
  templateStop: readonly string[],
): ChatRequest {
  return {
    mode,
    messages: messages ?? [{ role: "user", content: prompt ?? "" }],
    ...(bos === undefined ? {} : { bos }),
    sampling: {
      ...sampling,
      max_new_tokens: Math.min(sampling.max_new_tokens, LIMITS.maxNewTokens.max),
      stop: mode === "chat" ? sampling.stop.filter((text) => !templateStop.includes(text)) : sampling.stop,
    },
    lens: { scope: "none" },
    stream: true,
  };
}

/** The settings in words. Greedy decoding uses none of the others. */
export function samplingWords({
  temperature = 0,
  top_p = 1,
  top_k = 0,
  seed,
}: NonNullable<ChatRequest["sampling"]>): string {
  if (temperature === 0) return "greedy decoding";
  return [
    `temperature ${temperature}`,
    ...(top_p < 1 ? [`top-p ${top_p}`] : []),
    ...(top_k > 0 ? [`top-k ${top_k}`] : []),
    `seed ${seed ?? "drawn"}`,
  ].join(", ");
}
