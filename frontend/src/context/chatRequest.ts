import type { ChatRequest } from "@/api/stream";
import type { Timeline } from "@/types/timeline";
import type { Mode, Submission } from "./chatState";
import type { Settings } from "./settings";

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
      temperature: settings.temperature,
      top_p: settings.topP,
      top_k: settings.topK,
      seed: settings.pinnedSeed,
    },
    lens: { scope: "reply" as const },
    stream: true,
  };
  const message = { role: "user" as const, content: submission.text };
  const { fromIndex } = submission;
  // Cutting before the first token leaves nothing to continue: that is a new conversation.
  if (before.conversationId === null || fromIndex === 0) {
    const system = { role: "system" as const, content: settings.systemPrompt };
    const hasSystem = mode === "chat" && settings.systemPrompt.trim() !== "";
    return { ...common, messages: hasSystem ? [system, message] : [message], bos: settings.bos };
  }
  return {
    ...common,
    conversation_id: before.conversationId,
    messages: submission.kind === "regenerate" || submission.kind === "continue" ? [] : [message],
    ...(fromIndex === null ? {} : { from_index: fromIndex }),
  };
}
