import type { LayerReading } from "@/api/lens";
import { QuotedText, QuotedToken } from "@/components/lens/TokenText";
import { decisionLayer } from "@/lib/decision";
import { formatRank } from "@/lib/format";
import type { Token } from "@/types/timeline";

interface DecisionNoteProps {
  /** Layer 0 first. */
  readonly layers: readonly LayerReading[];
  /** The token that is really there. */
  readonly actual: Token;
}

/** One sentence: from which layer on the actual token was the first choice. */
export function DecisionNote({ layers, actual }: DecisionNoteProps) {
  const output = layers.at(-1);
  const ranks = layers.map((each) => each.actual?.rank ?? 0);
  const decided = decisionLayer(ranks);
  if (output === undefined) return null;
  if (decided === null) {
    const first = output.predictions[0];
    return (
      <p className="w-full text-muted">
        The output&rsquo;s first choice is {first !== undefined && <QuotedText text={first.text} />};{" "}
        <QuotedToken token={actual} /> has rank {formatRank(output.actual?.rank ?? null)} there.
      </p>
    );
  }
  const label = layers[decided]?.label ?? String(decided);
  return (
    <p className="w-full text-muted">
      <QuotedToken token={actual} />{" "}
      {decided === layers.length - 1 ? (
        <>
          is the first choice only at the output, layer <b className="font-medium text-ink">{label}</b>.
        </>
      ) : (
        <>
          is the first choice from {decided === 0 ? "the embedding" : "layer "}
          {decided > 0 && <b className="font-medium text-ink">{label}</b>} up to the output.
        </>
      )}
    </p>
  );
}
