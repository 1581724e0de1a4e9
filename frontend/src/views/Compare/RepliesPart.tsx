import { formatProbability, formatRank } from "@/model/format";
import { Button } from "@/ui/Button";
import { QuotedText, QuotedToken } from "@/ui/TokenText";
import type { ShownSide } from "./PairDetail";
import { type PlaceReading, usePlaceReading } from "./placeReading";
import type { PlaceOfBoth } from "./replies";

interface RepliesPartProps {
  /** Indices of the first tokens that differ. */
  readonly at: PlaceOfBoth;
  readonly a: ShownSide;
  readonly b: ShownSide;
  readonly isSettled: boolean;
  /** Null where the two are not compared at the place. */
  readonly onGo: (() => void) | null;
}

/** Where the replies part as texts, how probable both tokens were, and whether the first choice decided. */
export function RepliesPart({ at, a, b, isSettled, onGo }: RepliesPartProps) {
  // As the details below read them, so that going there asks for nothing more.
  const readA = usePlaceReading(a, a.kind, at.a - 1, isSettled);
  const readB = usePlaceReading(b, b.kind, at.b - 1, isSettled);
  const [ownA, ownB] = [a.tokens[at.a], b.tokens[at.b]];
  if (ownA === undefined || ownB === undefined) return null;
  const place = `The replies part at A ${at.a} | B ${at.b}`;
  const failed = [readA, readB].filter(({ error }) => error !== null);
  const [firstA, firstB] = [firstChoice(readA), firstChoice(readB)];
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
              Both have the first choice <QuotedText text={firstA.text} />; at least one side took another
              token, as sampling may, or a person did.
            </>
          ) : firstA.tokenId === ownA.id && firstB.tokenId === ownB.id ? (
            "Each is the first choice of its side."
          ) : (
            <>
              The first choices differ too: A’s is <QuotedText text={firstA.text} />, B’s{" "}
              <QuotedText text={firstB.text} />.
            </>
          )}
        </>
      )}
      {failed.length > 0 && (
        <>
          {" "}
          How probable they were could not be read.{" "}
          <Button
            size="small"
            onClick={() => {
              for (const { retry } of failed) retry();
            }}
          >
            Read it again
          </Button>
        </>
      )}
    </p>
  );
}

const output = ({ layers }: PlaceReading) => layers?.at(-1) ?? null;

const firstChoice = (reading: PlaceReading) => output(reading)?.predictions[0] ?? null;

/** Of the token that came, by the model's output; nothing where it is not read. */
function scoreOf(reading: PlaceReading): string {
  const next = output(reading)?.next ?? null;
  return next === null
    ? ""
    : ` (probability ${formatProbability(next.probability)}, rank ${formatRank(next.rank)})`;
}
