/** A made-up dose curve for tests. Never part of the page. */
import type { DoseRequest, DoseResponse } from "@/types/schemas";
import { MADE_UP } from "./lensData";

/** Rises with the strength, for the direction; hardly for the control. */
export const madeUpProbability = (strength: number, isControl = false): number =>
  isControl ? 0.02 + 0.001 * strength : 1 / (1 + Math.exp(4 - 40 * strength));

export function madeUpDose({ strengths, targets, position }: DoseRequest): DoseResponse {
  const tokens = (isControl: boolean) =>
    targets.map((id) => ({
      token_id: id,
      text: `t${id}`,
      bytes: null,
      probability: strengths.map((strength) => madeUpProbability(strength, isControl)),
      logprob: strengths.map((strength) => Math.log(madeUpProbability(strength, isControl))),
      rank: strengths.map(() => 1),
    }));
  return {
    model: MADE_UP.name,
    model_identity: MADE_UP,
    position: position ?? 0,
    predicts_index: (position ?? 0) + 1,
    strengths: [...strengths],
    tokens: tokens(false),
    control: tokens(true),
    fired: [strengths.length],
    computed_tokens: 1,
  };
}
