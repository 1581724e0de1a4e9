import { usePair } from "@/features/pair/pair";
import { formatProbability } from "@/model/format";
import type { Timeline } from "@/model/timeline";
import { decodedText, shownProse } from "@/model/tokens";
import { Button } from "@/ui/Button";
import { QuotedText } from "@/ui/TokenText";
import type { Example } from "./examples";
import { type Experiment, useGuesses } from "./experiment";

interface ExperimentResultProps {
  readonly example: Example;
  readonly experiment: Experiment;
  /** The branch that was written under the change. */
  readonly timeline: Timeline;
  /** The branch without the change. */
  readonly originId: string;
  readonly onShowView: (viewId: string) => void;
  readonly onBack: () => void;
}

/** What came of an experiment, beside what was expected. The answer is read from the branch itself. */
export default function ExperimentResult(props: ExperimentResultProps) {
  const { example, experiment, timeline, originId, onShowView, onBack } = props;
  const pair = usePair(timeline.conversationId);
  const expected = useGuesses(({ guesses }) => guesses[example.text]);
  const { before, after } = experiment;
  const reply = timeline.tokens.slice(timeline.turns[0]?.replyStart ?? 0);
  const first = reply[0];
  if (first === undefined) return null;
  const isOneToken = after.probability !== null;
  const [line = ""] = decodedText(reply).split("\n");
  const answer = isOneToken ? first.text : line;
  const compare = (): void => {
    pair.change({ vs: { kind: "branch", id: originId } });
    onShowView("compare");
  };
  const probability = isOneToken && first.logprob_nats !== null ? Math.exp(first.logprob_nats) : null;
  return (
    <section
      aria-label="What came of it"
      className="mt-4 max-w-xl rounded-control border border-line bg-raised px-3 py-2.5"
    >
      <h3 className="py-1.5 text-title font-semibold">{example.title}: what came of it</h3>
      <p className="text-muted">{shownProse(experiment.question)}</p>
      <p className="mt-2">
        {expected !== undefined && (
          <>
            You expected <QuotedText text={expected} />.{" "}
          </>
        )}
        It says{" "}
        <b className="font-medium">
          <QuotedText text={answer} />
        </b>
        {probability !== null && <> with probability {formatProbability(probability)}</>}; without the change{" "}
        <QuotedText text={before.text} />
        {before.probability !== null && <>, {formatProbability(before.probability)}</>}.
      </p>
      {answer === after.text && <p className="mt-2">{shownProse(experiment.note)}</p>}
      <div className="mt-2.5 flex flex-wrap gap-2">
        <Button className="pointer-coarse:min-h-11" onClick={compare}>
          Compare both, layer by layer
        </Button>
        <Button look="quiet" className="pointer-coarse:min-h-11" onClick={onBack}>
          Back to the reply without it
        </Button>
      </div>
    </section>
  );
}
