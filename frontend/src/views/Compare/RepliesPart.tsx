import { formatProbability, formatRank } from "@/model/format";
import { Button } from "@/ui/Button";
import { QuotedText, QuotedToken } from "@/ui/TokenText";
import type { ShownSide } from "./PairDetail";
import { type PlaceReading, usePlaceReading } from "./placeReading";
import type { PlaceOfBoth } from "@/model/replies";

interface RepliesPartProps {
  /** Indices of the first tokens that differ. */
  readonly at: PlaceOfBoth;
  readonly a: ShownSide;
  readonly b: ShownSide;
  readonly isSettled: boolean;
  /** Null where the two are not compared at the place. */
  readonly onGo: (() => void) | null;
}

/** The divergence point of the replies as texts, the probability of both tokens, and whether each was top-1. */
export function RepliesPart({ at, a, b, isSettled, onGo }: RepliesPartProps) {
  // As the details below read them, so that going there asks for nothing more.
  const readA = usePlaceReading(a, a, at.a - 1, isSettled);
  const readB = usePlaceReading(b, b, at.b - 1, isSettled);
  const [ownA, ownB] = [a.tokens[at.a], b.tokens[at.b]];
  if (ownA === undefined || ownB === undefined) return null;
  const place =
    at.a === at.b
      ? `The replies first differ at index ${at.a}`
      : `The replies first differ at index ${at.a} of A and ${at.b} of B`;
  const failed = [readA, readB].filter(({ error }) => error !== null);
  const [firstA, firstB] = [topOne(readA), topOne(readB)];
  return (
    <p className="shrink-0 px-3 pb-1 text-cell text-muted">
      {onGo === null ? (
        <span className="font-medium text-ink">{place}</span>
      ) : (
        <button
          type="button"
          title="Go there"
          onClick={onGo}
          className="rounded-control font-medium text-ink underline underline-offset-2 hover:bg-hover"
        >
          {place}
        </button>
      )}
      : A has <QuotedToken token={ownA} />
      {scoreOf(readA)}, B has <QuotedToken token={ownB} />
      {scoreOf(readB)}.
      {firstA !== null && firstB !== null && (
        <>
          {" "}
          {firstA.tokenId === firstB.tokenId ? (
            <>
              Both have the top-1 prediction <QuotedText text={firstA.text} />; at least one side sampled
              another token or was edited.
            </>
          ) : firstA.tokenId === ownA.id && firstB.tokenId === ownB.id ? (
            "Each is the top-1 prediction of its side."
          ) : (
            <>
              The top-1 predictions differ too: A’s is <QuotedText text={firstA.text} />, B’s{" "}
              <QuotedText text={firstB.text} />.
            </>
          )}
        </>
      )}
      {failed.length > 0 && (
        <>
          {" "}
          Their probabilities could not be read.{" "}
          <Button
            size="small"
            onClick={() => {
              for (const { retry } of failed) retry();
            }}
          >
            Retry
          </Button>
        </>
      )}
    </p>
  );
}

const output = ({ layers }: PlaceReading) => layers?.at(-1) ?? null;

const topOne = (reading: PlaceReading) => output(reading)?.predictions[0] ?? null;

/** Of the token that came, by the model's output; nothing where it is not read. */
function scoreOf(reading: PlaceReading): string {
  const next = output(reading)?.next ?? null;
  return next === null
    ? ""
    : ` (probability ${formatProbability(next.probability)}, rank ${formatRank(next.rank)})`;
}
