import type { ReactNode } from "react";
import { useBeginNote } from "@/features/notes/noteWriting";
import { TokenNotes } from "@/features/notes/TokenNotes";
import { RangeLine } from "@/features/selection/RangeLine";
import { useSelection } from "@/features/selection/selection";
import { formatProbability, formatRank, formatSurprisal } from "@/model/format";
import type { Role, Timeline, Token } from "@/model/timeline";
import { byteList, cellParts } from "@/model/tokens";
import { useTokenLens } from "@/reading/lens";
import { Button, IconButton } from "@/ui/Button";
import { TokenText } from "@/ui/TokenText";
import { Alternatives } from "./Alternatives";

const ROLES: Record<Role, string> = {
  template: "template",
  system: "system prompt",
  user: "your text",
  // Also a token that a person put there to branch is one of the reply.
  assistant: "part of the reply",
};

const WAITING = {
  deferred: "Read when the reply has ended",
  unsaved: "Not saved, so it cannot be read",
  loading: "Reading…",
  failed: "Could not be read",
  done: "No token follows here",
} as const;

interface TokenScore {
  readonly logprobNats: number;
  readonly rank: number;
}

/** As many predictions as the Standard view asks for, so that both share one answer. */
const TOP_K = 5;
/** Still within the same answer. */
const ALTERNATIVES = 8;

interface TokenHeadProps {
  readonly timeline: Timeline;
  /** Undefined while none is selected. */
  readonly token: Token | undefined;
}

/** The selected token and what the model thought of it: always at the same place, and as high without one. */
export function TokenHead({ timeline, token }: TokenHeadProps) {
  if (token !== undefined) return <SelectedToken timeline={timeline} token={token} />;
  // What to do is said by the view below.
  return <Head first={<p className="text-muted">No token is selected</p>} second={null} />;
}

/** Two lines that keep their height, so that what stands below never moves under the pointer. */
function Head({ first, second }: { readonly first: ReactNode; readonly second: ReactNode }) {
  return (
    <>
      <div className="flex h-6 items-center gap-3 @max-md:h-8">{first}</div>
      <p className="mt-1.5 flex h-5 gap-x-4 overflow-hidden short:mt-0.5 whitespace-nowrap @max-md:gap-x-3 @max-md:text-label">
        {second}
      </p>
    </>
  );
}

function SelectedToken({ timeline, token }: { readonly timeline: Timeline; readonly token: Token }) {
  const { predictedBy, status } = useTokenLens(timeline, token.index, TOP_K);
  const { predictedBy: alternatives } = useTokenLens(timeline, token.index, ALTERNATIVES);
  const beginNote = useBeginNote();
  const { isExtending, setExtending } = useSelection();
  const score = scoreOf(token, predictedBy?.layers.at(-1)?.actual ?? null);
  return (
    <>
      <Head
        first={
          <>
            <h2 className="max-w-1/2 shrink-0 truncate rounded-mark bg-accent-soft px-2 py-0.5 text-title font-medium @max-md:max-w-2/5">
              <span className="sr-only">Selected token </span>
              <TokenText parts={cellParts(token)} />
            </h2>
            <p className="flex max-h-full min-w-0 flex-wrap gap-x-3 overflow-hidden text-label text-muted @max-md:leading-4">
              <span>index {token.index}</span>
              <span>id {token.id}</span>
              <span title={`Bytes ${byteList(token)}`}>{ROLES[token.role]}</span>
            </p>
            <span className="-my-1 ml-auto flex shrink-0">
              <Button
                look="quiet"
                icon="note"
                className="px-2"
                title="Write a note (n)"
                // Pressing it must not take away the selection of text that it is about.
                onMouseDown={(event) => event.preventDefault()}
                onClick={beginNote}
              >
                <span className="max-md:sr-only">Note</span>
              </Button>
              {/* With Shift it takes a keyboard, and by selecting text a mouse. */}
              <IconButton
                icon="range"
                label="Select several tokens"
                aria-pressed={isExtending}
                className="not-any-pointer-coarse:hidden"
                onClick={() => setExtending(!isExtending)}
              />
              <Alternatives token={token} reading={alternatives} />
            </span>
          </>
        }
        second={
          token.index === 0 ? (
            <span className="text-muted">
              The first token: nothing came before it
              <span className="@max-md:hidden">, so nothing predicted it</span>.
            </span>
          ) : score === null ? (
            <span className="text-quiet">{WAITING[status]}</span>
          ) : (
            <>
              <Score name="rank" value={formatRank(score.rank)} />
              <Score name="probability" value={formatProbability(Math.exp(score.logprobNats))} />
              <Score name="surprisal" value={`${formatSurprisal(score.logprobNats)} nats`} />
            </>
          )
        }
      />
      <RangeLine />
      <TokenNotes token={token} tokens={timeline.tokens} />
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

function Score({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <span>
      <span className="text-muted">{name}</span> <span className="font-mono">{value}</span>
    </span>
  );
}
