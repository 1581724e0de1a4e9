/** An export of numbers that were computed under interventions: it names them, and offers no program. */
import { inWords } from "@/features/steering/inWords";
import type { Steering } from "@/model/timeline";
import type { ViewExport } from "./viewExport";

/** The programs compute the plain model, so of other numbers there is none. */
export class NotRecomputable extends Error {
  override readonly name = "NotRecomputable";

  constructor() {
    super(
      "These numbers were computed under interventions, which the program does not make. Take the JSON, which names them and has every number.",
    );
  }
}

const wordsOf = ({ interventions }: Steering): string =>
  interventions.map((each) => inWords(each, () => null)).join("; ");

/** The same with what the timelines were computed under; `other` is that of B, where one is shown. */
export function steeredExport(
  viewExport: ViewExport,
  steering: Steering | undefined,
  other: Steering | undefined,
): ViewExport {
  if (steering === undefined && other === undefined) return viewExport;
  const [a, b] = [steering, other].map((each) => (each === undefined ? null : wordsOf(each)));
  return {
    ...viewExport,
    facts: [
      ...viewExport.facts,
      ...(a === null || a === undefined ? [] : [`Computed under interventions: ${a}`]),
      ...(b === null || b === undefined ? [] : [`B was computed under interventions: ${b}`]),
    ],
    json: {
      ...viewExport.json,
      steering: steering ?? null,
      ...(other === undefined ? {} : { other_steering: other }),
    },
    script: () => {
      throw new NotRecomputable();
    },
  };
}
