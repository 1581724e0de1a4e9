import clsx from "clsx";
import { type ReactNode, Suspense } from "react";
import { RangeLine } from "@/features/selection/RangeLine";
import { useSelection } from "@/features/selection/selection";
import { formatProbability, formatRank } from "@/model/format";
import type { Timeline, Token } from "@/model/timeline";
import { cellParts } from "@/model/tokens";
import { useTokenLens } from "@/reading/lens";
import { IconButton } from "@/ui/Button";
import { lazyPart } from "@/ui/lazyPart";
import { Popover } from "@/ui/Popover";
import { TokenText } from "@/ui/TokenText";
import { Alternatives } from "./Alternatives";
import { NoteButton } from "./NoteButton";
import type { TokenScore } from "./tokenScore";

const TokenDetails = lazyPart(() => import("./TokenDetails"));

const WAITING = {
  deferred: "Available when generation finishes",
  awaited: "Read when the model is loaded",
  unsaved: "Not saved, so it cannot be read",
  loading: "Reading…",
  failed: "Could not be read",
  done: "No token follows here",
} as const;

/** As many predictions as the Standard view asks for, so that both share one answer. */
const TOP_K = 5;
/** Still within the same answer. */
const ALTERNATIVES = 8;

interface TokenHeadProps {
  readonly timeline: Timeline;
  /** Undefined while none is selected. */
  readonly token: Token | undefined;
  /** The chip that sets with what the token is compared. */
  readonly pair?: ReactNode;
}

/** The selected token, how probable the model found it, and what can be done with it: one line. */
export function TokenHead({ timeline, token, pair }: TokenHeadProps) {
  return (
    <>
      {token === undefined ? (
        <p className="min-w-0 flex-1 truncate text-muted">No token is selected</p>
      ) : (
        <SelectedToken timeline={timeline} token={token} />
      )}
      <span className={clsx("flex items-center", token === undefined ? "min-w-0" : "shrink-0")}>
        {token !== undefined && <TokenActions timeline={timeline} token={token} />}
        {/* At the end, where it stays under the pointer that is pressing it when a token becomes selected. */}
        {pair}
      </span>
    </>
  );
}

interface SelectedTokenProps {
  readonly timeline: Timeline;
  readonly token: Token;
}

function SelectedToken({ timeline, token }: SelectedTokenProps) {
  const { predictedBy, status } = useTokenLens(timeline, token.index, TOP_K);
  const { isExtending, range } = useSelection();
  const score = scoreOf(token, predictedBy?.layers.at(-1)?.actual ?? null);
  const hasNumbers = token.index > 0 && score !== null && !isExtending && range === null;
  return (
    <>
      <h2 className="min-w-10 shrink truncate">
        <span className="sr-only">Selected token </span>
        <Popover
          label="Token"
          trigger={
            <button
              type="button"
              title="Id, bytes and more of this token"
              className="max-w-full truncate rounded-mark bg-accent-soft px-2 py-0.5 align-middle text-title font-medium hover:bg-selected"
            >
              <TokenText parts={cellParts(token)} />
            </button>
          }
        >
          <Suspense fallback={<p className="text-muted">Opening…</p>}>
            <TokenDetails token={token} score={score} />
          </Suspense>
        </Popover>
      </h2>
      <div
        className={clsx(
          "flex min-w-0 flex-1 items-center gap-x-3 overflow-hidden text-muted @max-md:text-label",
          // Rather the token's text is cut.
          hasNumbers && "max-sm:min-w-max",
        )}
      >
        {isExtending || range !== null ? (
          <RangeLine />
        ) : (
          // A number that does not fit is left out as a whole, never cut: the empty one before it keeps the line.
          <p className="flex h-5 min-w-0 flex-wrap gap-x-3 overflow-hidden whitespace-nowrap before:-mr-3 before:h-5 before:content-[''] max-sm:before:hidden max-sm:h-auto max-sm:flex-col max-sm:flex-nowrap max-sm:leading-4">
            <span className="max-sm:hidden">index {token.index}</span>
            <Score token={token} score={score} waiting={WAITING[status]} />
          </p>
        )}
      </div>
    </>
  );
}

function TokenActions({ timeline, token }: SelectedTokenProps) {
  const { predictedBy } = useTokenLens(timeline, token.index, ALTERNATIVES);
  const { isExtending, setExtending, select } = useSelection();
  return (
    <>
      <NoteButton />
      {/* With Shift it takes a keyboard, and by selecting text a mouse. */}
      <IconButton
        icon="range"
        label="Select several tokens"
        aria-pressed={isExtending}
        className="max-md:hidden not-any-pointer-coarse:hidden"
        onClick={() => setExtending(!isExtending)}
      />
      <Alternatives token={token} reading={predictedBy} />
      <IconButton
        icon="close"
        label="Deselect the token"
        className="max-md:hidden"
        onClick={() => select(null, null)}
      />
    </>
  );
}

interface ScoreProps {
  readonly token: Token;
  readonly score: TokenScore | null;
  /** Why there is none yet. */
  readonly waiting: string;
}

function Score({ token, score, waiting }: ScoreProps) {
  if (token.index === 0) return <span className="truncate">The first token: nothing predicted it</span>;
  if (score === null) return <span className="truncate text-quiet">{waiting}</span>;
  return (
    <>
      <span>
        p <span className="font-mono text-ink">{formatProbability(Math.exp(score.logprobNats))}</span>
      </span>
      <span>
        rank <span className="font-mono text-ink">{formatRank(score.rank)}</span>
      </span>
    </>
  );
}

/** The model's own score where it came with the token, else that of the lens at the last layer: they are the same. */
function scoreOf(
  { logprob_nats, rank }: Token,
  lens: { readonly probability: number; readonly rank: number } | null,
): TokenScore | null {
  if (logprob_nats !== null && rank !== null) return { logprobNats: logprob_nats, rank };
  return lens === null ? null : { logprobNats: Math.log(lens.probability), rank: lens.rank };
}
