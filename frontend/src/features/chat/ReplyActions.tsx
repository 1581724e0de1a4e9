import clsx from "clsx";
import type { FinishReason, Timeline, Turn } from "@/model/timeline";
import { decodedText } from "@/model/tokens";
import { Button } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import type { Mode } from "./chatState";

const ENDINGS: Record<FinishReason, string> = {
  stop: "",
  length: "Ended at the longest reply allowed.",
  context: "Ended because the context is full.",
  cancelled: "Stopped; what was written is kept.",
  interrupted: "Interrupted; what was written is kept.",
};

/** Ended before the model came to the end of what it had to say. */
const UNFINISHED: readonly FinishReason[] = ["length", "cancelled", "interrupted"];

interface ReplyActionsProps {
  readonly timeline: Timeline;
  readonly turn: Turn;
  readonly mode: Mode;
  readonly onRegenerate: () => void;
  /** Goes on from the end of the reply. */
  readonly onContinue: () => void;
  readonly onEdit: (text: string) => void;
}

/** What can be done with the newest turn. */
export function ReplyActions({ timeline, turn, mode, onRegenerate, onContinue, onEdit }: ReplyActionsProps) {
  const reply = timeline.tokens.slice(turn.replyStart);
  const ending = turn.finish === null ? "" : ENDINGS[turn.finish];
  return (
    <div
      className={clsx(
        "mt-2 -ml-2 flex flex-wrap items-center gap-x-1 text-label",
        mode === "chat" && "md:pl-[6.5rem]",
      )}
    >
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
      {ending !== "" && <span className="ml-1 text-muted">{ending}</span>}
    </div>
  );
}

/** What the person typed. For a reopened conversation its tokens say so, with the blank that the template put before it. */
function userText(timeline: Timeline, turn: Turn): string {
  if (turn.userText !== null) return turn.userText;
  const typed = timeline.tokens
    .slice(turn.promptStart, turn.replyStart)
    .filter((token) => token.role === "user");
  return decodedText(typed).trim();
}
