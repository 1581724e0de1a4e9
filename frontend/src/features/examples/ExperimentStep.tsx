import { useChatActions } from "@/features/chat/chat";
import { shownProse } from "@/model/tokens";
import { Button } from "@/ui/Button";
import { QuotedText } from "@/ui/TokenText";
import type { Example } from "./examples";
import { type Experiment, useGuesses } from "./experiment";

interface ExperimentStepProps {
  readonly example: Example;
  readonly experiment: Experiment;
  /** Where the reply begins that is written again. */
  readonly replyStart: number;
}

/** The last step of a worked example: says what would be changed, asks what to expect, then changes it. */
export function ExperimentStep({ example, experiment, replyStart }: ExperimentStepProps) {
  const { steer } = useChatActions();
  const guess = useGuesses((state) => state.guess);
  const expectText = (choice: string) => () => {
    guess(example, choice);
    // As the example itself was answered.
    steer(replyStart, experiment.interventions, { temperature: 0 });
  };
  return (
    <div role="group" aria-label="Change it" className="mt-3 border-t border-line pt-2.5">
      <p>
        <b className="font-medium">Now change it.</b> {shownProse(experiment.question)}
      </p>
      <p className="mt-2 text-muted">What do you expect? Your answer runs it, as a branch.</p>
      <div className="mt-1.5 flex flex-wrap gap-2">
        {experiment.choices.map((choice) => (
          <Button key={choice} className="pointer-coarse:min-h-11" onClick={expectText(choice)}>
            <QuotedText text={choice} />
          </Button>
        ))}
      </div>
    </div>
  );
}
