import { Finding } from "@/features/evidence/Finding";
import type { SteeringChoices } from "@/features/steering/choices";
import { type TextOf, inWords } from "@/features/steering/inWords";
import { useTokenTexts } from "@/features/steering/tokenTexts";
import { tokensOf } from "@/features/steering/inWords";
import { cellTextOfText } from "@/model/tokens";
import type { Timeline } from "@/model/timeline";

interface SteerFindingProps {
  readonly timeline: Timeline;
  readonly choices: SteeringChoices;
  readonly textOf: TextOf;
}

/** What this branch is computed under, or what is about to be tried. */
export function SteerFinding({ timeline, choices, textOf }: SteerFindingProps) {
  const { steering, model } = timeline;
  const ownTexts = useTokenTexts((steering?.interventions ?? []).flatMap(tokensOf), model);
  if (steering !== undefined) {
    return (
      <Finding>
        This branch {steering.interventions.map((each) => inWords(each, ownTexts)).join("; ")}. What is tried
        below starts from the plain model.
      </Finding>
    );
  }
  const text = choices.steer === null ? null : textOf(choices.steer);
  const name = text === null ? "a token" : `“${cellTextOfText(text)}”`;
  return (
    <Finding>
      {choices.by === "contrast"
        ? "How much does the difference of two texts change the reply?"
        : choices.how === "add"
          ? `How far must the residual stream be pushed towards ${name} before the model says it?`
          : choices.how === "ablate"
            ? `What does the model say when nothing is left of ${name}?`
            : `What does the model say when ${name} and another token are exchanged?`}
    </Finding>
  );
}
