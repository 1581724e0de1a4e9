import type { FinishReason, Timeline, Turn } from "@/model/timeline";
import { decodedText } from "@/model/tokens";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import { lazyPart } from "@/ui/lazyPart";
import { Popover } from "@/ui/Popover";
import type { Mode } from "./chatState";

const ReplyDetails = lazyPart(() => import("./ReplyDetails"));

const ENDINGS: Record<FinishReason, string> = {
  stop: "",
  length: "Ended at the maximum of new tokens.",
  context: "Ended because the context is full.",
  cancelled: "Stopped; the text so far is kept.",
  interrupted: "Interrupted; the text so far is kept.",
};

/** Endings after which the model may have more to say. */
const UNFINISHED: readonly FinishReason[] = ["length", "cancelled", "interrupted"];

interface ReplyActionsProps {
  readonly timeline: Timeline;
  readonly turn: Turn;
  readonly mode: Mode;
  readonly onRegenerate: () => void;
  /** Continues the reply at its end. */
  readonly onContinue: () => void;
  readonly onEdit: (text: string) => void;
}

/** The actions on the newest turn. */
export function ReplyActions({ timeline, turn, mode, onRegenerate, onContinue, onEdit }: ReplyActionsProps) {
  const reply = timeline.tokens.slice(turn.replyStart);
  const ending = turn.finish === null ? "" : ENDINGS[turn.finish];
  return (
    <div className="mt-2 -ml-2 flex flex-wrap items-center gap-x-1 text-label">
      <Button look="quiet" icon="redo" className="px-2" onClick={onRegenerate}>
        Regenerate
      </Button>
      {mode === "chat" && turn.finish !== null && UNFINISHED.includes(turn.finish) && (
        <Button look="quiet" icon="right" className="px-2" onClick={onContinue}>
          Continue
        </Button>
      )}
      <Button look="quiet" icon="edit" className="px-2" onClick={() => onEdit(userText(timeline, turn))}>
        {mode === "chat" ? "Edit message" : "Edit text"}
      </Button>
      <CopyButton label="Copy the reply" text={() => decodedText(reply)} />
      <Popover
        label="Replies"
        trigger={
          <Button look="quiet" className="px-2">
            Details
          </Button>
        }
      >
        <ReplyDetails timeline={timeline} />
      </Popover>
      {ending !== "" && <span className="ml-2 text-muted">{ending}</span>}
    </div>
  );
}

/** The user's message as typed. Of a reopened conversation, from its tokens, without the blank that a template puts first. */
function userText(timeline: Timeline, turn: Turn): string {
  if (turn.userText !== null) return turn.userText;
  const typed = timeline.tokens
    .slice(turn.promptStart, turn.replyStart)
    .filter((token) => token.role === "user");
  return decodedText(typed).trim();
}
