import { Fragment } from "react";
import { type LeaderRun, decisionLayer, leaderRuns } from "@/model/decision";
import { formatRank } from "@/model/format";
import type { Token } from "@/model/timeline";
import type { LayerReading } from "@/reading/lens";
import { QuotedText, QuotedToken } from "@/ui/TokenText";

interface DecisionNoteProps {
  /** Layer 0 first. */
  readonly layers: readonly LayerReading[];
  /** The token that is really there. */
  readonly actual: Token;
}

/** More would be a paragraph; the table below has them all. */
const MAX_RUNS = 6;

/** From which layer on the actual token was the first choice, and what was before. */
export function DecisionNote({ layers, actual }: DecisionNoteProps) {
  const output = layers.at(-1);
  if (output === undefined) return null;
  const decided = decisionLayer(layers.map((each) => each.actual?.rank ?? 0));
  const runs = leaderRuns(
    layers.map((each) => each.predictions[0]?.token_id ?? -1),
    decided ?? layers.length - 1,
  );
  return (
    <p className="w-full text-muted">
      {decided === null ? (
        <>
          The output&rsquo;s first choice is <Leader reading={output} />; <QuotedToken token={actual} /> has
          rank {formatRank(output.actual?.rank ?? null)} there.
        </>
      ) : (
        <>
          <QuotedToken token={actual} /> is the first choice{" "}
          {decided === layers.length - 1 ? "only at the output, layer " : "from "}
          {decided === 0 ? "the embedding" : decided < layers.length - 1 && "layer "}
          {decided > 0 && <b className="font-medium text-ink">{layers[decided]?.label ?? decided}</b>}
          {decided < layers.length - 1 && " up to the output"}.
        </>
      )}
      {runs.length > 0 && (
        <>
          {" "}
          Before it: {runs.length > MAX_RUNS && "… "}
          {runs.slice(-MAX_RUNS).map((run, i) => (
            <Fragment key={run.from}>
              {i > 0 && ", "}
              <Leader reading={layers[run.from]} /> {placeOf(run)}
            </Fragment>
          ))}
          .
        </>
      )}
    </p>
  );
}

function Leader({ reading }: { readonly reading: LayerReading | undefined }) {
  const first = reading?.predictions[0];
  return first === undefined ? null : <QuotedText text={first.text} />;
}

const placeOf = ({ from, to }: LeaderRun): string =>
  from === to ? `at ${from}` : to === from + 1 ? `at ${from} and ${to}` : `at ${from} to ${to}`;
