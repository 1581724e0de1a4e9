import { useEffect, useState } from "react";
import { LensFailure } from "@/features/evidence/LensFailure";
import { useSelection } from "@/features/selection/selection";
import { useLensKind } from "@/features/settings/lensKind";
import { formatNats, formatProbability, formatRank } from "@/model/format";
import { layerName } from "@/model/layers";
import type { Place } from "@/model/place";
import type { Timeline, Token } from "@/model/timeline";
import { shownProse } from "@/model/tokens";
import { type LayerReading, useTokenLens } from "@/reading/lens";
import { IconButton } from "@/ui/Button";
import { useIsNarrow } from "@/ui/media";
import { QuotedText, QuotedToken } from "@/ui/TokenText";
import { AttributionStep } from "./AttributionStep";
import type { Example } from "./examples";
import { ExampleStep } from "./ExampleStep";
import { ExperimentStep } from "./ExperimentStep";
import { useLeadingHead } from "./useLeadingHead";
import { type LayerStanding, findingsOf } from "./walkthrough";

interface ExampleGuideProps {
  readonly example: Example;
  readonly timeline: Timeline;
  /** The token that the example is about. */
  readonly token: Token;
  readonly onShowView: (viewId: string) => void;
}

const TOP_K = 5;

/** Explains a worked example. Every number is read from the running model, through the lens of the views. */
export default function ExampleGuide({ example, timeline, token, onShowView }: ExampleGuideProps) {
  const kind = useLensKind();
  const { index, select, selectPlace } = useSelection();
  const isNarrow = useIsNarrow();
  const [isClosed, setIsClosed] = useState(false);
  const lens = useTokenLens(timeline, token.index, TOP_K, { kind, hasHalf: false });
  const layers = lens.predictedBy?.layers.map(standingOf).filter((each) => each !== null) ?? [];
  const isRead = layers.length > 1;
  const leading = useLeadingHead(timeline, token);
  const [turn] = timeline.turns;
  const { decided, rise, widest } = isRead ? findingsOf(layers) : { decided: null, rise: null, widest: 1 };

  useEffect(() => {
    // On a narrow screen the evidence would cover the text.
    if (isRead && index === null && !isNarrow) select(token.index, decided);
    // Once, when it is read: later the selection is the person's.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [isRead]);

  if (isClosed) return null;
  const show = (viewId: string, layer: number | null) => () => {
    select(token.index, layer);
    onShowView(viewId);
  };
  const showPlace = (viewId: string, place: Place): void => {
    selectPlace(place);
    onShowView(viewId);
  };
  const output = layers.at(-1);
  const below = decided === null || decided === 0 ? undefined : layers[decided - 1];
  const expected = example.watch !== null && example.watch !== undefined && example.watch !== token.text;
  return (
    <section
      aria-label="What to see"
      className="mt-4 max-w-xl rounded-control border border-line bg-raised px-3 py-2.5"
    >
      <div className="flex items-start justify-between gap-2">
        <h3 className="py-1.5 text-title font-semibold">{example.title}: what to see</h3>
        <IconButton icon="close" label="Close the explanation" onClick={() => setIsClosed(true)} />
      </div>
      {/* A note may name numbers that were measured with the logit lens. */}
      {kind === "logit" && <p className="text-muted">{shownProse(example.note)}</p>}
      {expected && (
        <p className="mt-1">
          The reply has no <QuotedText text={example.watch ?? ""} /> this time; the numbers below are of{" "}
          <QuotedToken token={token} />, its first token.
        </p>
      )}
      {lens.status === "failed" && lens.error !== null ? (
        <div className="mt-2">
          <LensFailure title="The layers could not be read." error={lens.error} onRetry={lens.retry} />
        </div>
      ) : !isRead || output === undefined ? (
        <p role="status" className="mt-2 text-muted">
          Reading the layers of <QuotedToken token={token} />…
        </p>
      ) : (
        <ol className="mt-2 space-y-2">
          <ExampleStep view="Standard" onShow={show("standard", decided)}>
            {decided === null ? (
              <>
                At the output <QuotedToken token={token} /> has rank {formatRank(output.rank)} with
                probability {formatProbability(output.probability)}
                {output.leader !== null && (
                  <>
                    ; top-1 there is <QuotedText text={output.leader.text} />
                  </>
                )}
                .
              </>
            ) : (
              <>
                <QuotedToken token={token} /> is top-1 from{" "}
                <b className="font-medium">{layerName(decided)}</b> on, and has probability{" "}
                {formatProbability(output.probability)} at the output.
                {below !== undefined && (
                  <>
                    {" "}
                    One layer earlier it has rank {formatRank(below.rank)}
                    {below.leader !== null && (
                      <>
                        , and <QuotedText text={below.leader.text} /> leads with{" "}
                        {formatProbability(below.leader.probability)}
                      </>
                    )}
                    .
                  </>
                )}
              </>
            )}
          </ExampleStep>
          <ExampleStep view="Trajectories" onShow={show("trajectories", rise ?? decided)}>
            {rise === null ? (
              <>Its probability rises at no layer.</>
            ) : (
              <>
                Its probability rises most at <b className="font-medium">{layerName(rise)}</b>: from{" "}
                {formatProbability(layers[rise - 1]?.probability ?? null)} to{" "}
                {formatProbability(layers[rise]?.probability ?? null)}. See which competing tokens lose
                probability there.
              </>
            )}
          </ExampleStep>
          <ExampleStep view="Heatmap" onShow={show("heatmap", widest)}>
            Entropy peaks at <b className="font-medium">{layerName(widest)}</b>, at{" "}
            {formatNats(layers[widest]?.entropyNats ?? null)} nats; at the output it is{" "}
            {formatNats(output.entropyNats)} nats. Compare this column with its neighbours.
          </ExampleStep>
          {leading && <AttributionStep {...leading} token={token} onShow={showPlace} />}
          {leading !== undefined && (
            <ExampleStep view="Patch" onShow={show("patch", null)}>
              Which word carries it, and up to which layer? Choose another word for one of the message there
              and map every position.
            </ExampleStep>
          )}
        </ol>
      )}
      {/* Last, when all above it is there: what comes later would move it. */}
      {(isRead || lens.status === "failed") && leading !== undefined && (
        <>
          <p className="mt-2 text-label text-muted">
            Read at index {token.index - 1} through the {kind} lens: where the token can be read off, which is
            not yet what caused it.
          </p>
          {example.experiment !== null && example.experiment !== undefined && turn !== undefined && (
            <ExperimentStep example={example} experiment={example.experiment} replyStart={turn.replyStart} />
          )}
        </>
      )}
    </section>
  );
}

function standingOf(reading: LayerReading): LayerStanding | null {
  const first = reading.predictions[0];
  return reading.actual === null
    ? null
    : {
        label: reading.label,
        rank: reading.actual.rank,
        probability: reading.actual.probability,
        entropyNats: reading.entropy_nats,
        leader: first === undefined ? null : { text: first.text, probability: first.probability },
      };
}
