/** The dose curve: the target's probability over the strength, beside that under a random direction. */
import type { Planned } from "@/features/steering/interventions";
import type { Intervention } from "@/model/timeline";
import type { RunOutput } from "@/reading/underInterventions";

export interface DosePoint {
  readonly strength: number;
  readonly target: number;
  /** Under the random direction. */
  readonly control: number;
}

export interface Dose {
  /** In the plain model. */
  readonly plain: number;
  /** Weakest first; the plain model is at 0. */
  readonly points: readonly DosePoint[];
}

/** The runs behind a curve: the plain one first, then for each strength the direction and its control. */
export const doseRuns = (planned: Planned, strengths: readonly number[]): (readonly Intervention[])[] => [
  [],
  ...strengths
    .filter((strength) => strength !== 0)
    .flatMap((strength) => [planned.at(strength), planned.controlAt(strength)]),
];

export function doseOf(outputs: readonly RunOutput[], strengths: readonly number[]): Dose {
  const probability = (run: number): number => outputs[run]?.targets[0]?.probability ?? Number.NaN;
  const plain = probability(0);
  let run = 1;
  const points = strengths.map((strength): DosePoint => {
    if (strength === 0) return { strength, target: plain, control: plain };
    const [target, control] = [probability(run), probability(run + 1)];
    run += 2;
    return { strength, target, control };
  });
  return { plain, points };
}

export const formatStrength = (strength: number): string =>
  String(Number(strength.toFixed(4))).replace("-", "−");
