import clsx from "clsx";
import { type KeyboardEvent, type ReactNode, useLayoutEffect, useRef, useState } from "react";
import { isOfInputMethod } from "@/base/composing";
import type { Mode } from "@/features/chat/chatState";
import { Button } from "@/ui/Button";
import { firstClick } from "@/ui/firstClick";
import { Refusable } from "@/ui/Refusable";

interface ComposerProps {
  /** Id of the text area, so that a shortcut can find it. */
  readonly id: string;
  readonly mode: Mode;
  /** Text that comes back because nothing became of it; once for each `id`. */
  readonly returned: { readonly text: string; readonly id: string };
  /** The message that is being edited; null to write a new one. */
  readonly editing: { readonly text: string } | null;
  readonly onChangeEdit: (text: string) => void;
  readonly isBusy: boolean;
  /** Why nothing can be sent now; null when it can. */
  readonly blocked: string | null;
  readonly canWriteOn: boolean;
  readonly onSend: (text: string) => void;
  readonly onStop: () => void;
  readonly onWriteOn: () => void;
  readonly onCancelEdit: () => void;
  /** One line for text and buttons together; the text grows while it has the focus. */
  readonly isSlim: boolean;
  /** How the conversation begins, above the text; null once it has begun. */
  readonly opening: ReactNode;
  /** Controls under the text. */
  readonly children: ReactNode;
}

const TALLEST_PX = 220;

/** Where text is written. It is cleared when it is sent and comes back when nothing became of it. */
export function Composer(props: ComposerProps) {
  const { id, mode, returned, editing, isSlim, isBusy, blocked, canWriteOn, opening, children } = props;
  const { onSend, onStop, onWriteOn, onChangeEdit, onCancelEdit } = props;
  const [draft, setDraft] = useState("");
  const [seenReturns, setSeenReturns] = useState<readonly string[]>([]);
  const textarea = useRef<HTMLTextAreaElement>(null);
  const text = editing?.text ?? draft;

  if (returned.text !== "" && !seenReturns.includes(returned.id)) {
    setSeenReturns((before) => [...before, returned.id]);
    // What was written meanwhile is kept below it.
    setDraft((now) => (now.trim() === "" ? returned.text : `${returned.text}\n${now}`));
  }
  const setText = editing === null ? setDraft : onChangeEdit;

  useLayoutEffect(() => {
    const element = textarea.current;
    if (element === null) return;
    element.style.height = "auto";
    element.style.height = `${Math.min(element.scrollHeight, TALLEST_PX)}px`;
  }, [text, isSlim]);

  const isEmpty = mode === "chat" ? text.trim() === "" : text === "";
  const canSend = !isEmpty && !isBusy && blocked === null;
  const writesOn = isEmpty && canWriteOn && !isBusy && blocked === null;

  const send = (): void => {
    if (writesOn) onWriteOn();
    if (!canSend) return;
    if (editing === null) setDraft("");
    onSend(text);
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || isOfInputMethod(event.nativeEvent)) return;
    event.preventDefault();
    send();
  };

  return (
    <form
      data-focus-home="[type=submit]:enabled:not([aria-disabled]), textarea"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {editing !== null && (
        <div className="mb-1 flex items-center justify-between gap-2 text-label">
          <span className="text-muted">
            Editing your last message. What it is now, with its reply, stays as a branch.
          </span>
          <Button look="quiet" size="small" onClick={onCancelEdit}>
            Cancel
          </Button>
        </div>
      )}
      {opening}
      <label htmlFor={id} className="sr-only">
        {mode === "chat" ? "Message" : "Text to continue"}
      </label>
      <div
        data-tour="composer"
        className={clsx(
          "rounded-control border border-line-strong bg-raised has-[textarea:focus-visible]:outline-2 has-[textarea:focus-visible]:outline-offset-1 has-[textarea:focus-visible]:outline-focus",
          isSlim && "flex items-end",
        )}
      >
        <textarea
          id={id}
          ref={textarea}
          rows={1}
          dir="auto"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={onKeyDown}
          placeholder={mode === "chat" ? "Message" : "Text to continue"}
          className={clsx(
            "block w-full resize-none bg-transparent px-3 pt-2.5 pb-1 text-title leading-6 outline-none placeholder:text-quiet short:max-h-[30dvh] pointer-coarse:text-[1rem]",
            isSlim &&
              "min-w-0 flex-1 pb-2.5 not-focus:max-h-11 not-focus:mask-[linear-gradient(black_2.125rem,transparent_0)]",
          )}
        />
        <div className={clsx("flex items-center justify-between gap-2", isSlim ? "p-1" : "p-1.5")}>
          <div className="flex min-w-0 items-center">{children}</div>
          {isBusy ? (
            // The key keeps Stop an element of its own: reused as the submit button during its own
            // click, it would submit the form.
            <Button key="stop" icon="stop" onClick={firstClick(onStop)}>
              Stop
            </Button>
          ) : (
            <Refusable key="send" because={blocked}>
              <Button look="primary" type="submit" disabled={blocked === null && !canSend && !writesOn}>
                {writesOn ? "Continue" : mode === "chat" ? "Send" : "Continue"}
              </Button>
            </Refusable>
          )}
        </div>
      </div>
    </form>
  );
}
