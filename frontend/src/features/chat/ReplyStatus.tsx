import { StatusLine } from "@/features/composer/StatusLine";
import type { ServerState } from "@/features/server/server";
import { useChat } from "./chat";
import { activityOf, tokensPerSecond } from "./chatState";

interface ReplyStatusProps {
  readonly server: ServerState;
  readonly blocked: string | null;
  readonly isUnseen: boolean;
}

/** How far the reply is: rendered with each token. */
export function ReplyStatus({ server: { model, health }, blocked, isUnseen }: ReplyStatusProps) {
  const usedTokens = useChat(({ timeline }) => timeline.tokens.length);
  const rate = useChat(({ stats }) => tokensPerSecond(stats));
  const queued = useChat(({ stats }) => stats.queued);
  const activity = useChat((chat) => activityOf(chat, health));
  return (
    <StatusLine
      usedTokens={usedTokens}
      contextLength={model?.context_length ?? null}
      rate={rate}
      activity={activity}
      queued={queued}
      jobs={health?.jobs ?? 0}
      blocked={blocked}
      isUnseen={isUnseen}
    />
  );
}
