import clsx from "clsx";
import { type KeyboardEvent, useEffect, useId, useState } from "react";
import { isOfInputMethod } from "@/base/composing";
import type { PinnedToken } from "@/features/pins/pins";
import { byteName } from "@/model/bytes";
import { cellParts } from "@/model/tokens";
import type { TokenMatch } from "@/types/schemas";
import { Icon } from "@/ui/Icon";
import { QuotedText, TokenText } from "@/ui/TokenText";
import { useTokenSearch } from "./tokenSearch";

interface TokenSearchProps {
  readonly modelName: string;
  readonly label: string;
  /** What Enter or a click does, as one word: `pins`. */
  readonly verb: string;
  /** One token takes the place of the one before: choosing it closes the list. */
  readonly isSingle?: boolean;
  /** The token is chosen already; `takenAs` says how. */
  readonly isTaken: (tokenId: number) => boolean;
  readonly takenAs: string;
  /** No further one can be chosen. */
  readonly isFull: boolean;
  readonly onChoose: (token: PinnedToken) => void;
  /** Told of the match that is looked at; null when none is. */
  readonly onPreview?: (token: PinnedToken | null) => void;
  readonly className?: string;
}

/** The server's bound of a query. */
const MAX_QUERY = 256;

/**
 * Any token of the vocabulary by its text. Where several can be chosen the list stays open, so that
 * `Paris` and `·Paris` are two presses of Enter.
 */
export function TokenSearch(props: TokenSearchProps) {
  const { modelName, label, verb, isSingle = false, isTaken, takenAs, isFull, onChoose, onPreview } = props;
  const [text, setText] = useState("");
  const [isOpen, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const id = useId();
  const { answer, error } = useTokenSearch(text, modelName);
  const matches = isOpen && answer !== null ? answer.matches : [];
  const current = matches[Math.min(active, matches.length - 1)] ?? null;

  const previewId = current?.token_id ?? null;
  const previewText = current?.text ?? null;
  useEffect(() => {
    onPreview?.(previewId === null ? null : { id: previewId, text: previewText });
    return () => onPreview?.(null);
  }, [onPreview, previewId, previewText]);

  const optionId = (match: TokenMatch): string => `${id}-${match.token_id}`;
  const close = (): void => {
    setOpen(false);
    setActive(0);
  };
  const choose = (match: TokenMatch): void => {
    if (isFull || isTaken(match.token_id)) return;
    onChoose({ id: match.token_id, text: match.text });
    if (!isSingle) return;
    close();
    setText("");
  };
  const moveTo = (index: number): void => {
    setActive(index);
    const match = matches[index];
    if (match !== undefined) document.getElementById(optionId(match))?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isOfInputMethod(event.nativeEvent)) return;
    if (event.key === "Escape" && text !== "") {
      // The list first, then the text; neither is the page's Escape, which would take the focus away.
      if (isOpen) close();
      else setText("");
    } else if (event.key === "ArrowDown") {
      setOpen(true);
      moveTo(isOpen ? Math.min(active + 1, Math.max(0, matches.length - 1)) : 0);
    } else if (event.key === "ArrowUp" && isOpen) moveTo(Math.max(0, active - 1));
    else if (event.key === "Enter" && current !== null) choose(current);
    else return;
    event.preventDefault();
  };

  const isShown = isOpen && text !== "";
  return (
    <div className={clsx("relative min-w-44 flex-1", props.className)}>
      <label htmlFor={`${id}-input`} className="block text-cell text-muted">
        {label}
      </label>
      <input
        id={`${id}-input`}
        type="text"
        dir="auto"
        role="combobox"
        autoComplete="off"
        spellCheck={false}
        placeholder="Paris"
        maxLength={MAX_QUERY}
        aria-expanded={isShown}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-haspopup="listbox"
        aria-activedescendant={current === null ? undefined : optionId(current)}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
          setOpen(true);
        }}
        onFocus={() => setOpen(true)}
        // After Escape, or on a touch screen that has no keys.
        onClick={() => setOpen(true)}
        onBlur={close}
        onKeyDown={onKeyDown}
        className="h-control w-full rounded-control border border-line-strong bg-surface px-2 font-mono text-ink placeholder:text-quiet focus-visible:-outline-offset-1"
      />
      <div
        className={clsx(
          "absolute inset-x-0 top-full z-popover mt-1 min-w-64 overflow-hidden rounded-control border border-line bg-raised shadow-float",
          !isShown && "hidden",
        )}
      >
        <div id={`${id}-list`} role="listbox" aria-label="Tokens" className="max-h-64 overflow-y-auto">
          {matches.map((match) => {
            const isThere = isTaken(match.token_id);
            return (
              <button
                key={match.token_id}
                id={optionId(match)}
                type="button"
                role="option"
                aria-selected={match === current}
                aria-disabled={isFull || isThere}
                tabIndex={-1}
                // The input keeps the focus, or the list would close before the click.
                onPointerDown={(event) => event.preventDefault()}
                onMouseDown={(event) => event.preventDefault()}
                onPointerEnter={() => setActive(matches.indexOf(match))}
                onClick={() => choose(match)}
                className={clsx(
                  "flex min-h-7 w-full items-center gap-2 px-2 text-left aria-disabled:cursor-default pointer-coarse:min-h-11",
                  match === current && "bg-hover",
                )}
              >
                {match.is_byte_token ? (
                  <span className="font-mono text-muted">{byteName(match.bytes)}</span>
                ) : (
                  <TokenText
                    parts={cellParts({ text: match.text, bytes: match.bytes, special: false })}
                    className={clsx("min-w-0 truncate", match.exact && "font-medium")}
                  />
                )}
                <span className="ml-auto font-mono text-cell text-muted">id {match.token_id}</span>
                {isThere && <Icon name="check" className="size-3.5 text-accent" />}
                {isThere && <span className="sr-only">{takenAs}</span>}
              </button>
            );
          })}
        </div>
        <p role="status" className="border-t border-line px-2 py-1 text-cell text-muted">
          {!isShown ? (
            ""
          ) : error !== null ? (
            <span className="text-danger">{error.message}</span>
          ) : answer === null ? (
            "Searching…"
          ) : answer.matches.length === 0 ? (
            "No token begins with this text."
          ) : current !== null && isTaken(current.token_id) ? (
            `This token is ${takenAs} already.`
          ) : answer.matches.some((match) => match.exact) ? (
            `Enter or a click ${verb}; · is a leading space.`
          ) : (
            <>
              Not one token; it is split into{" "}
              {answer.encoded_texts.map((part, i) => (
                <span key={i}>
                  <QuotedText text={part} />{" "}
                </span>
              ))}
            </>
          )}
        </p>
      </div>
    </div>
  );
}
