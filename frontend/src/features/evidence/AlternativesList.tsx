import clsx from "clsx";
import type { ReactElement } from "react";
import { useBranching } from "@/features/branches/branching";
import { formatProbability } from "@/model/format";
import type { Token } from "@/model/timeline";
import { cellPartsOfText, cellTextOfText } from "@/model/tokens";
import type { Reading } from "@/reading/lens";
import { Button } from "@/ui/Button";
import { PopoverClose } from "@/ui/Popover";
import { Refusable } from "@/ui/Refusable";
import { QuotedToken, TokenText } from "@/ui/TokenText";

export interface AlternativesListProps {
  readonly token: Token;
  /** How it was predicted; null until that was read, and for the first token. */
  readonly reading: Reading | null;
}

/** What the model might have written in place of the token: each is the beginning of a branch. */
export default function AlternativesList({ token, reading }: AlternativesListProps) {
  const { branch, refusedBecause } = useBranching();
  const output = reading?.layers.at(-1)?.predictions ?? [];
  return (
    <>
      <h3 className="font-medium">
        Replace <QuotedToken token={token} /> with
      </h3>
      <p className="mt-0.5 text-label text-muted">
        The reply is generated anew from index {token.index} with the token that you choose. This branch stays
        as it is.
      </p>
      <ol className="mt-2">
        {output.map(({ token_id, text, probability }) => {
          const isActual = token_id === token.id;
          return (
            <li key={token_id}>
              <Choice refusedBecause={refusedBecause}>
                <button
                  type="button"
                  disabled={isActual}
                  aria-label={`Continue with ${cellTextOfText(text)}, probability ${formatProbability(probability)}`}
                  onClick={() => branch(token.index, [token_id])}
                  className="relative isolate flex min-h-control w-full items-center gap-2 overflow-hidden rounded-mark px-2 text-left hover:bg-hover disabled:cursor-default disabled:hover:bg-transparent aria-disabled:cursor-not-allowed aria-disabled:text-quiet aria-disabled:hover:bg-transparent"
                >
                  <span
                    aria-hidden="true"
                    className={clsx(
                      "absolute inset-y-1 left-0 -z-10 rounded-mark",
                      isActual ? "bg-data-actual-soft" : "bg-data-bar-soft",
                    )}
                    style={{ width: `${100 * probability}%` }}
                  />
                  <TokenText parts={cellPartsOfText(text)} className="min-w-0 flex-1 truncate" />
                  {isActual && <span className="text-cell text-muted">this one</span>}
                  <span className="font-mono text-label text-muted">{formatProbability(probability)}</span>
                </button>
              </Choice>
            </li>
          );
        })}
      </ol>
      {output.length === 0 && (
        <p className="mt-2 text-muted">
          {token.index === 0 ? "Nothing predicted the first token." : "Its predictions are still being read."}
        </p>
      )}
      <Choice refusedBecause={refusedBecause}>
        <Button icon="redo" className="mt-2 w-full" onClick={() => branch(token.index, [])}>
          Resample from here
        </Button>
      </Choice>
      <p className={clsx("mt-1 text-label", refusedBecause === null ? "text-muted" : "text-warn")}>
        {refusedBecause === null
          ? "By the sampling settings below the message; at temperature 0 it chooses the same."
          : `${refusedBecause}.`}
      </p>
    </>
  );
}

interface ChoiceProps {
  readonly refusedBecause: string | null;
  readonly children: ReactElement<{ readonly onClick?: () => void }>;
}

/** Closes the window once something was chosen; what is refused leaves it open. */
function Choice({ refusedBecause, children }: ChoiceProps) {
  return refusedBecause === null ? (
    <PopoverClose>{children}</PopoverClose>
  ) : (
    <Refusable because={refusedBecause}>{children}</Refusable>
  );
}
