import clsx from "clsx";
import { type RefObject, type UIEvent, useRef } from "react";
import { partingOfReplies } from "@/model/replies";
import type { Token } from "@/model/timeline";
import { withByteNames } from "@/model/bytes";
import { cellParts, runningPieces } from "@/model/tokens";
import { Button } from "@/ui/Button";
import { QuotedToken, TokenText } from "@/ui/TokenText";

interface RepliesProps {
  readonly plain: readonly Token[];
  readonly steered: readonly Token[];
  /** Where the replies begin: what comes before is the same in both. */
  readonly start: number;
  readonly names: { readonly plain: string; readonly steered: string };
  readonly onSelect: (index: number) => void;
  readonly onCompare: (() => void) | null;
}

/** Both replies side by side: they scroll together, and the first token that differs is marked in both. */
export function Replies({ plain, steered, start, names, onSelect, onCompare }: RepliesProps) {
  const left = useRef<HTMLDivElement>(null);
  const right = useRef<HTMLDivElement>(null);
  const parting = partingOfReplies(plain, steered);
  const [tokenA, tokenB] = parting === null ? [] : [plain[parting.a], steered[parting.b]];
  return (
    <section aria-label="Both replies" className="border-t border-line px-3 py-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <p className="min-w-0 flex-1 text-muted">
          {parting === null || tokenA === undefined || tokenB === undefined ? (
            "The replies do not differ in any token that both have."
          ) : (
            <>
              They first differ at index {parting.b}: <QuotedToken token={tokenA} /> and{" "}
              <QuotedToken token={tokenB} />.
            </>
          )}
        </p>
        {onCompare !== null && <Button onClick={onCompare}>Compare layer by layer</Button>}
      </div>
      <div className="mt-2 grid gap-3 @min-[30rem]:grid-cols-2">
        <Reply
          name={names.plain}
          tokens={plain.slice(start)}
          parting={parting?.a ?? null}
          scroller={left}
          other={right}
        />
        <Reply
          name={names.steered}
          tokens={steered.slice(start)}
          parting={parting?.b ?? null}
          scroller={right}
          other={left}
          onSelect={onSelect}
        />
      </div>
    </section>
  );
}

interface ReplyProps {
  readonly name: string;
  readonly tokens: readonly Token[];
  /** Index of the first token that differs. */
  readonly parting: number | null;
  readonly scroller: RefObject<HTMLDivElement | null>;
  /** Scrolls with it. */
  readonly other: RefObject<HTMLDivElement | null>;
  readonly onSelect?: (index: number) => void;
}

function Reply({ name, tokens, parting, scroller, other, onSelect }: ReplyProps) {
  const onScroll = ({ currentTarget }: UIEvent): void => {
    if (other.current === null) return;
    const room = currentTarget.scrollHeight - currentTarget.clientHeight;
    const share = room <= 0 ? 0 : currentTarget.scrollTop / room;
    const top = Math.round(share * (other.current.scrollHeight - other.current.clientHeight));
    // Both listen: what is there already must not be set again.
    if (Math.abs(other.current.scrollTop - top) > 1) other.current.scrollTo({ top });
  };
  const pieces = runningPieces(tokens);
  const at = parting === null ? -1 : tokens.findIndex(({ index }) => index === parting);
  const before = at < 0 ? tokens.length : at;
  const textOf = (from: number, to: number): string =>
    pieces
      .slice(from, to)
      .map(({ text }) => withByteNames(text))
      .join("");
  const token = tokens[at];
  return (
    <div className="min-w-0">
      <h4 className="text-label font-medium text-muted">{name}</h4>
      <div
        ref={scroller}
        role="group"
        aria-label={name}
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keys
        tabIndex={0}
        onScroll={onScroll}
        className="max-h-40 overflow-y-auto rounded-control border border-line bg-surface px-2 py-1 break-words whitespace-pre-wrap"
      >
        {textOf(0, before)}
        {token !== undefined && (
          <>
            <mark
              className={clsx(
                "rounded-mark bg-selected px-0.5 text-ink",
                onSelect !== undefined && "cursor-pointer",
              )}
            >
              {onSelect === undefined ? (
                <TokenText parts={cellParts(token)} />
              ) : (
                <button type="button" title="Select this token" onClick={() => onSelect(token.index)}>
                  <TokenText parts={cellParts(token)} />
                </button>
              )}
            </mark>
            {textOf(at + 1, tokens.length)}
          </>
        )}
        {tokens.length === 0 && <span className="text-quiet">Nothing is written yet.</span>}
      </div>
    </div>
  );
}
