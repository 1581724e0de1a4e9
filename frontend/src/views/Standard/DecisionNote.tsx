import { Fragment } from "react";
import { Finding } from "@/features/evidence/Finding";
import { type LeaderRun, decisionLayer, leaderRuns } from "@/model/decision";
import { formatRank } from "@/model/format";
import { layerLabel, layerName } from "@/model/layers";
import type { Token } from "@/model/timeline";
import type { LayerReading } from "@/reading/lens";
import { QuotedText, QuotedToken } from "@/ui/TokenText";

interface DecisionNoteProps {
  /** Layer 0 first. */
  readonly layers: readonly LayerReading[];
  /** Null where no token follows yet. */
  readonly actual: Token | null;
}

/** More would be a paragraph; the table below has them all. */
const MAX_RUNS = 6;

/** The decision layer of the actual token, and the top-1 predictions below it. */
export function DecisionNote({ layers, actual }: DecisionNoteProps) {
  const output = layers.at(-1);
  if (output === undefined) return null;
  const last = layers.length - 1;
  const decided = decisionLayer(layers.map((each) => each.actual?.rank ?? 0));
  const runs = leaderRuns(
    layers.map((each) => each.predictions[0]?.token_id ?? -1),
    decided ?? last,
  );
  return (
    <Finding>
      {decided === null || actual === null ? (
        <>
          Final-layer top-1 is <Leader reading={output} />
          {actual !== null && (
            <>
              ; <QuotedToken token={actual} /> has rank {formatRank(output.actual?.rank ?? null)} there
            </>
          )}
          .
        </>
      ) : (
        <>
          <QuotedToken token={actual} /> is top-1 {decided === last ? "only at the output, " : "from "}
          <b className="font-medium text-ink">{layerName(layers[decided]?.layer ?? decided)}</b>
          {decided < last && " up to the output"}.
        </>
      )}
      {runs.length > 0 && (
        <>
          {" "}
          Before it: {/* The nearest first: a narrow panel cuts the end. */}
          {runs
            .slice(-MAX_RUNS)
            .toReversed()
            .map((run, i) => (
              <Fragment key={run.from}>
                {i > 0 && ", "}
                <Leader reading={layers[run.from]} /> {placeOf(run, layers)}
              </Fragment>
            ))}
          {runs.length > MAX_RUNS ? " …" : "."}
        </>
      )}
    </Finding>
  );
}

function Leader({ reading }: { readonly reading: LayerReading | undefined }) {
  const first = reading?.predictions[0];
  return first === undefined ? null : <QuotedText text={first.text} />;
}

function placeOf({ from, to }: LeaderRun, layers: readonly LayerReading[]): string {
  const [first, last] = [from, to].map((row) => layerLabel(layers[row]?.layer ?? row));
  return from === to ? `at layer ${first}` : `at layers ${first} to ${last}`;
}
