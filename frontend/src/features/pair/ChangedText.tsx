import { type KeyboardEvent, type ReactNode, Suspense, useId, useState } from "react";
import { isOfInputMethod } from "@/base/composing";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { WordField } from "./WordField";

const OfferedWords = lazyPart(() => import("./OfferedWords"));

interface ChangedTextProps {
  /** Stands above the words, and names them. */
  readonly wordsLabel: string;
  /** Stands in its place above the text field. */
  readonly textLabel: string;
  readonly own: string;
  readonly draft: string;
  /** Whether other words can be tried now. */
  readonly canOffer: boolean;
  readonly onDraft: (text: string) => void;
  /** The text with the word as it is typed; null when no word is being replaced any more. */
  readonly onTyping: (text: string | null) => void;
  /** Enter, or another word that is offered. */
  readonly onRun: (text: string) => void;
  /** What is chosen beside the text, and the button that runs it. */
  readonly children: ReactNode;
}

/** The server's bound of a text. */
const MAX_TEXT = 200_000;
/** A longer message is edited as a text: nobody looks for one word among so many buttons. */
const MAX_WORD_TEXT = 1500;

/** A message whose words are to be replaced, or that is edited as a text, with other words to try. */
export function ChangedText(props: ChangedTextProps) {
  const { wordsLabel, textLabel, own, draft, canOffer, onDraft, onTyping, onRun, children } = props;
  const id = useId();
  const [isText, setIsText] = useState(false);
  const hasWords = draft.trim() !== "" && draft.length <= MAX_WORD_TEXT;
  const asText = isText || !hasWords;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || isOfInputMethod(event.nativeEvent)) return;
    event.preventDefault();
    onRun(draft);
  };
  return (
    <div className="flex min-w-0 flex-1 basis-72 flex-col gap-1.5">
      <div className="flex items-baseline gap-2 text-cell text-muted">
        {asText ? (
          <label htmlFor={id} className="min-w-0 flex-1">
            {textLabel}
          </label>
        ) : (
          <span aria-hidden="true" className="min-w-0 flex-1">
            {wordsLabel}
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
          onChange={(event) => onDraft(event.target.value)}
          onKeyDown={onKeyDown}
          className="block field-sizing-content max-h-28 min-h-8 w-full resize-y rounded-control border border-line-strong bg-surface px-2 py-1.5 text-ink"
        />
      ) : (
        <WordField
          label={wordsLabel}
          text={draft}
          original={own}
          onTyping={onTyping}
          onChange={onDraft}
          onRun={onRun}
        />
      )}
      <div className="flex flex-wrap items-center gap-2">{children}</div>
      {/* Last, and whatever was typed: nothing above moves when they come, nor under the pointer. */}
      {!asText && (
        <ErrorBoundary>
          <Suspense fallback={null}>
            <OfferedWords text={own} disabled={!canOffer} onRun={onRun} />
          </Suspense>
        </ErrorBoundary>
      )}
    </div>
  );
}
