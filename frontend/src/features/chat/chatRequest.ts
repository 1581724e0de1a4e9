import type { Settings } from "@/features/settings/settings";
import type { Timeline } from "@/model/timeline";
import type { Mode, Submission } from "./chatState";
import type { ChatRequest } from "./stream";

/** The request for a submission to a conversation as it stands before it. */
export function chatRequest(
  submission: Submission,
  before: Timeline,
  mode: Mode,
  settings: Settings,
): ChatRequest {
  const common = {
    mode,
    sampling: {
      max_new_tokens: settings.maxNewTokens,
      temperature: submission.temperature ?? settings.temperature,
      top_p: settings.topP,
      top_k: settings.topK,
      seed: submission.seed ?? settings.pinnedSeed,
    },
    lens: { scope: "reply" as const },
    stream: true,
  };
  const message = { role: "user" as const, content: submission.text };
  const system = { role: "system" as const, content: settings.systemPrompt };
  const hasSystem = mode === "chat" && settings.systemPrompt.trim() !== "";
  const { fromIndex, kind } = submission;
  const isSilent = kind === "regenerate" || kind === "continue" || kind === "branch";
  // Cutting before the first token leaves nothing to continue: the whole history is sent again.
  const isFirst = before.conversationId === null || (fromIndex === 0 && !isSilent);
  return {
    ...common,
    messages: isSilent ? [] : isFirst && hasSystem ? [system, message] : [message],
    ...(isFirst ? { bos: settings.bos } : {}),
    // The length that is shown: should the server hold more, it makes a branch instead of going on behind that.
    ...(before.conversationId === null
      ? {}
      : { conversation_id: before.conversationId, from_index: fromIndex ?? before.tokens.length }),
    ...(submission.interventions === undefined ? {} : { interventions: [...submission.interventions] }),
    ...(submission.forced === undefined ? {} : { continue_with: [...submission.forced] }),
  };
}
