/** B's own reply, asked for as A's was: the same sampling settings, and the same seed. */
import type { ChatRequest } from "@/features/chat/stream";
import type { SavedConversation } from "@/features/library/conversations";
import { LIMITS } from "@/features/settings/settings";
import type { OtherText } from "./otherSide";

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

/**
 * `templateStop`: strings that end a reply in chat mode. The stored settings name them among the
 * others, and the server adds them by itself.
 */
export function replyRequest(
  { messages, prompt, bos }: OtherText,
  mode: "chat" | "completion",
  sampling: TurnSampling,
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

/** The settings in words. Where the most probable token is always taken, nothing else plays a part. */
export function samplingWords({
  temperature = 0,
  top_p = 1,
  top_k = 0,
  seed,
}: NonNullable<ChatRequest["sampling"]>): string {
  if (temperature === 0) return "temperature 0, so always the most probable token";
  return [
    `temperature ${temperature}`,
    ...(top_p < 1 ? [`top-p ${top_p}`] : []),
    ...(top_k > 0 ? [`top-k ${top_k}`] : []),
    `seed ${seed ?? "drawn"}`,
  ].join(", ");
}
