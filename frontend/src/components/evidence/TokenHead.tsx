import { Alternatives } from "./Alternatives";
import { RangeLine } from "@/components/notes/RangeLine";
import { TokenNotes } from "@/components/notes/TokenNotes";
import { TokenText } from "@/components/lens/TokenText";
import { Button, IconButton } from "@/components/ui/Button";
import { useTokenLens } from "@/api/lens";
import { useBeginNote } from "@/context/noteWriting";
import { useSelection } from "@/context/selection";
import { formatNats, formatProbability, formatRank } from "@/lib/format";
import { byteList, cellParts } from "@/lib/tokens";
import type { Role, Timeline, Token } from "@/types/timeline";

const ROLES: Record<Role, string> = {
  template: "template",
  system: "system prompt",
  user: "your text",
  // Also a token that a person put there to branch is one of the reply.
  assistant: "part of the reply",
};

const WAITING = {
  deferred: "Read when the reply has ended",
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

/** The selected token and what the model thought of it: always at the same place. */
export function TokenHead({ timeline, token }: { readonly timeline: Timeline; readonly token: Token }) {
  const { predictedBy, status } = useTokenLens(timeline, token.index, TOP_K);
  const { predictedBy: alternatives } = useTokenLens(timeline, token.index, ALTERNATIVES);
  const beginNote = useBeginNote();
  const { isExtending, setExtending } = useSelection();
  const score = scoreOf(token, predictedBy?.layers.at(-1)?.actual ?? null);
  return (
    <div className="min-w-0 px-3 py-2.5 short:py-1">
      <div className="flex items-center gap-3">
        <h2 className="max-w-1/2 shrink-0 overflow-hidden rounded-mark bg-accent-soft px-2 py-0.5 text-title font-medium text-ellipsis">
          <span className="sr-only">Selected token </span>
          <TokenText parts={cellParts(token)} />
        </h2>
        <p className="flex min-w-0 flex-wrap gap-x-3 text-label text-muted">
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
      </div>
      <p className="mt-1.5 flex min-h-5 short:mt-0.5 flex-wrap gap-x-4">
        {token.index === 0 ? (
          <span className="text-muted">
            The first token: nothing came before it, so nothing predicted it.
          </span>
        ) : score === null ? (
          <span className="text-quiet">{WAITING[status]}</span>
        ) : (
          <>
            <Score name="rank" value={formatRank(score.rank)} />
            <Score name="probability" value={formatProbability(Math.exp(score.logprobNats))} />
            <Score name="surprisal" value={`${formatNats(-score.logprobNats)} nats`} />
          </>
        )}
      </p>
      <RangeLine />
      <TokenNotes token={token} tokens={timeline.tokens} />
    </div>
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
