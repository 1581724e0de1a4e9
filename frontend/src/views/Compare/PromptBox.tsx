import { type KeyboardEvent, useId } from "react";
import { isOfInputMethod } from "@/base/composing";
import type { Timeline } from "@/model/timeline";
import { Button } from "@/ui/Button";
import { Switch } from "@/ui/Switch";
import type { CompareState } from "./choices";
import { lastUserText, withLastUserText } from "./history";
import type { OwnReply } from "./useReplyWriting";

interface PromptBoxProps {
  readonly timeline: Timeline;
  readonly mode: "chat" | "completion";
  readonly state: CompareState;
  /** Whether A begins with the beginning-of-sequence token; null where the model has none. */
  readonly bos: boolean | null;
  readonly ownReply: OwnReply;
}

/** The server's bound of a text. */
const MAX_TEXT = 200_000;

/** The last message, to be put differently; nothing is sent before it is asked for. */
export function PromptBox({ timeline, mode, state, bos, ownReply }: PromptBoxProps) {
  const { choices, text, change, write } = state;
  const { refusedBecause } = ownReply;
  const id = useId();
  const own = lastUserText(timeline.tokens, mode);
  const draft = text.draft ?? own;
  const isBlank = draft.trim() === "";
  const asked = { ...withLastUserText(timeline.tokens, mode, draft), ...(bos === null ? {} : { bos }) };
  const compare = (): void => {
    if (!isBlank) write({ draft, asked });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || isOfInputMethod(event.nativeEvent)) return;
    event.preventDefault();
    compare();
  };
  return (
    <div className="flex min-w-0 flex-1 basis-72 flex-wrap items-end gap-x-2 gap-y-1.5">
      <div className="min-w-0 flex-1 basis-52">
        <label htmlFor={id} className="block pb-0.5 text-cell text-muted">
          {mode === "chat" ? "your last message, with a word changed" : "the text, with a word changed"}
        </label>
        <textarea
          id={id}
          rows={1}
          dir="auto"
          value={draft}
          maxLength={MAX_TEXT}
          onChange={(event) => write({ draft: event.target.value })}
          onKeyDown={onKeyDown}
          className="block field-sizing-content max-h-28 min-h-8 w-full resize-y rounded-control border border-line-strong bg-surface px-2 py-1.5 text-ink"
        />
      </div>
      <Button look={text.asked === null ? "primary" : "plain"} disabled={isBlank} onClick={compare}>
        Compare
      </Button>
      <Switch
        label="then A’s reply"
        checked={choices.withReply}
        onChange={(withReply) => change({ withReply })}
      />
      <Button
        disabled={isBlank || refusedBecause !== null}
        title={
          refusedBecause ??
          "The model answers this prompt as it answered A’s; saved as a conversation of its own"
        }
        onClick={() => {
          write({ draft });
          ownReply.write(asked);
        }}
      >
        Write B’s reply
      </Button>
      {ownReply.isForGood && <p className="basis-full text-label text-muted">{refusedBecause}</p>}
    </div>
  );
}
