import clsx from "clsx";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { isOfInputMethod } from "@/base/composing";
import { isBrowserCommand } from "@/base/keys";
import { type Piece, piecesOf, withPiece } from "./words";

interface WordFieldProps {
  readonly label: string;
  readonly text: string;
  /** The words of A: what differs from them is marked. */
  readonly original: string;
  /** The text with the word as it is typed; null when no word is being replaced any more. */
  readonly onTyping: (text: string | null) => void;
  readonly onChange: (text: string) => void;
  /** Enter in a word that is being replaced, with the text as it is then. */
  readonly onRun: (text: string) => void;
}

/** A text whose words are replaced one by one: press a word, type, Enter. Arrow keys go from word to word. */
export function WordField({ label, text, original, onTyping, onChange, onRun }: WordFieldProps) {
  const [replacing, setReplacing] = useState<number | null>(null);
  const [current, setCurrent] = useState(0);
  const frame = useRef<HTMLDivElement>(null);
  const pieces = piecesOf(text);
  const words = pieces.flatMap(({ isWord }, at) => (isWord ? [at] : []));
  const own = piecesOf(original);
  const focused = words.includes(current) ? current : (words.at(-1) ?? -1);
  const isChanged = (piece: Piece, at: number): boolean =>
    own.length === pieces.length
      ? own[at]?.text !== piece.text
      : !own.some((each) => each.text === piece.text);
  const focusWord = (at: number): void =>
    frame.current?.querySelector<HTMLElement>(`[data-piece="${at}"]`)?.focus();
  // The word that was given up takes the focus back, once it is there again.
  const returnsTo = useRef<number | null>(null);
  useEffect(() => {
    if (returnsTo.current === null) return;
    focusWord(returnsTo.current);
    returnsTo.current = null;
  });

  const onWordKey = (event: KeyboardEvent, at: number): void => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = step === 0 ? undefined : words[words.indexOf(at) + step];
    if (next === undefined || isBrowserCommand(event)) return;
    event.preventDefault();
    setCurrent(next);
    focusWord(next);
  };
  return (
    <div
      ref={frame}
      role="group"
      aria-label={label}
      dir="auto"
      className="max-h-28 overflow-y-auto rounded-control border border-line-strong bg-surface px-2 py-1 leading-7 whitespace-pre-wrap"
    >
      {pieces.map((piece, at) =>
        replacing === at ? (
          <WordInput
            key={at}
            word={piece.text}
            onTyping={(typed) => onTyping(withPiece(pieces, at, typed))}
            onDone={(typed, how) => {
              setReplacing(null);
              onTyping(null);
              if (how === "cancel") returnsTo.current = at;
              else if (how === "run") onRun(withPiece(pieces, at, typed));
              else onChange(withPiece(pieces, at, typed));
            }}
          />
        ) : piece.isWord ? (
          <button
            key={at}
            type="button"
            data-piece={at}
            tabIndex={at === focused ? 0 : -1}
            title={`Replace ${piece.text}`}
            onFocus={() => setCurrent(at)}
            onClick={() => setReplacing(at)}
            onKeyDown={(event) => onWordKey(event, at)}
            className={clsx(
              "rounded-mark hover:bg-accent-soft hover:shadow-[0_0_0_1px_var(--accent)]",
              isChanged(piece, at) && "bg-accent-soft font-medium",
            )}
          >
            {piece.text}
          </button>
        ) : (
          <span key={at}>{piece.text}</span>
        ),
      )}
    </div>
  );
}

interface WordInputProps {
  readonly word: string;
  readonly onTyping: (typed: string) => void;
  readonly onDone: (typed: string, how: "keep" | "run" | "cancel") => void;
}

/** In the place of the word, all of it selected. Enter runs, Escape gives up, leaving keeps it. */
function WordInput({ word, onTyping, onDone }: WordInputProps) {
  const [typed, setTyped] = useState(word);
  const input = useRef<HTMLInputElement>(null);
  const isDone = useRef(false);
  useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, []);
  const done = (how: "keep" | "run" | "cancel"): void => {
    if (isDone.current) return; // removing the field blurs it
    isDone.current = true;
    // The spaces around the word are there; the keyboards of phones add another one.
    onDone(typed.trim(), how);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isOfInputMethod(event.nativeEvent) || (event.key !== "Enter" && event.key !== "Escape")) return;
    event.preventDefault();
    // Escape gives up the word, not the window around it.
    event.stopPropagation();
    done(event.key === "Enter" ? "run" : "cancel");
  };
  return (
    <input
      ref={input}
      aria-label={`Replace ${word} with`}
      value={typed}
      maxLength={2000}
      onChange={(event) => {
        setTyped(event.target.value);
        onTyping(event.target.value.trim());
      }}
      onBlur={() => done("keep")}
      onKeyDown={onKeyDown}
      className="field-sizing-content max-w-full min-w-8 rounded-mark border border-accent bg-raised px-1 text-ink"
    />
  );
}
