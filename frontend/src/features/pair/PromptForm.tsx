import { type KeyboardEvent, Suspense, useId, useRef, useState } from "react";
import { isOfInputMethod } from "@/base/composing";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import { Button } from "@/ui/Button";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { Refusable } from "@/ui/Refusable";
import { Select } from "@/ui/Select";
import { lastUserText, withLastUserText } from "./history";
import { B_REPLIES, type BReply } from "./pair";
import type { PairSide } from "./pairSide";
import type { OwnReply } from "./useOwnReply";
import { WordField } from "./WordField";

const OfferedWords = lazyPart(() => import("./OfferedWords"));

interface PromptFormProps {
  readonly timeline: Timeline;
  readonly mode: "chat" | "completion";
  readonly model: ModelInfo;
  readonly pair: PairSide;
  readonly ownReply: OwnReply;
  /** After the comparison was begun. */
  readonly onRun?: () => void;
}

/** The server's bound of a text. */
const MAX_TEXT = 200_000;
/** A longer message is edited as a text: nobody looks for one word among so many buttons. */
const MAX_WORD_TEXT = 1500;

const REPLIES: Readonly<Record<BReply, { readonly label: string; readonly hint: string }>> = {
  greedy: { label: "its own, greedy", hint: "The model continues B with its top-1 prediction each time" },
  sampled: {
    label: "its own, sampled as A’s",
    hint: "The model continues B with A’s sampling settings and seed",
  },
  forced: {
    label: "A’s reply, forced",
    hint: "The same tokens after both prompts; nothing is generated or saved",
  },
  none: { label: "none", hint: "Compares the prompts only; nothing is generated or saved" },
};

/** The last message with its words to be replaced. Enter compares: B generates its own reply unless another is chosen. */
export function PromptForm({ timeline, mode, model, pair, ownReply, onRun }: PromptFormProps) {
  const { state, text, write } = pair;
  const id = useId();
  const own = lastUserText(timeline.tokens, mode);
  const draft = text.draft ?? own;
  const [isText, setIsText] = useState(false);
  // The text with the word as it is being typed, until that word is left.
  const typing = useRef<string | null>(null);
  const hasWords = draft.trim() !== "" && draft.length <= MAX_WORD_TEXT;
  const asText = isText || !hasWords;
  const generates = state.reply === "greedy" || state.reply === "sampled";
  const bos = model.bos_token_id === null ? null : timeline.tokens[0]?.id === model.bos_token_id;
  const refusal = !generates
    ? null
    : state.reply === "sampled" && !ownReply.canSample
      ? "A’s sampling settings are not known, so B cannot be sampled alike."
      : ownReply.refusedBecause;
  const compare = (wanted: string): void => {
    if (wanted.trim() === "" || refusal !== null) {
      write({ draft: wanted });
      return;
    }
    const asked = { ...withLastUserText(timeline.tokens, mode, wanted), ...(bos === null ? {} : { bos }) };
    write({ draft: wanted, asked: generates ? null : asked });
    state.change({ vs: { kind: "prompt" } });
    if (generates) ownReply.write(asked, state.reply);
    onRun?.();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || isOfInputMethod(event.nativeEvent)) return;
    event.preventDefault();
    compare(draft);
  };
  const label =
    mode === "chat" ? "Your message: press a word to replace it" : "The text: press a word to replace it";
  return (
    <div className="flex min-w-0 flex-1 basis-72 flex-col gap-1.5">
      <div className="flex items-baseline gap-2 text-cell text-muted">
        {asText ? (
          <label htmlFor={id} className="min-w-0 flex-1">
            The prompt of B
          </label>
        ) : (
          <span aria-hidden="true" className="min-w-0 flex-1">
            {label}
          </span>
        )}
        {hasWords && (
          <button
            type="button"
            aria-pressed={isText}
            className="shrink-0 rounded-control underline underline-offset-2 hover:text-ink"
            onClick={() => setIsText(!isText)}
          >
            Edit as text
          </button>
        )}
      </div>
      {asText ? (
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
      ) : (
        <WordField
          label={label}
          text={draft}
          original={own}
          onTyping={(typed) => {
            typing.current = typed;
          }}
          onChange={(changed) => write({ draft: changed })}
          onRun={compare}
        />
      )}
      <div className="flex flex-wrap items-center gap-2">
        <Select
          label="B’s reply"
          value={state.reply}
          options={B_REPLIES.map((value) => ({ value, ...REPLIES[value] }))}
          onChange={(reply) => state.change({ reply })}
        />
        <Refusable because={refusal}>
          <Button
            look="primary"
            disabled={refusal === null && draft.trim() === ""}
            title={generates ? "B is saved as a conversation of its own" : undefined}
            // Leaving the word would close it and move what stands below, this button too, before the click.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => compare(typing.current ?? draft)}
          >
            Compare
          </Button>
        </Refusable>
        {refusal !== null && (
          <p aria-hidden="true" className="self-center text-label text-muted">
            {refusal}
          </p>
        )}
      </div>
      {/* Last, and whatever was typed: nothing above moves when they come, nor under the pointer. */}
      {!asText && (
        <ErrorBoundary>
          <Suspense fallback={null}>
            <OfferedWords text={own} disabled={refusal !== null} onRun={compare} />
          </Suspense>
        </ErrorBoundary>
      )}
    </div>
  );
}
