import { useChoices } from "@/features/choices/choices";
import { type ChoiceSpec, oneOf, onOff } from "@/features/choices/choiceSpec";
import { type Direction, direction } from "@/features/evidence/direction";
import { TRAJECTORY_METRICS, type TrajectoryMetric } from "./curveMetrics";

interface TrajectoryChoices {
  readonly direction: Direction;
  /** What the y axis shows. */
  readonly metric: TrajectoryMetric;
  /** The actual token is drawn also where no pin has it. */
  readonly actual: boolean;
  readonly table: boolean;
}

const SPEC: ChoiceSpec<TrajectoryChoices> = {
  direction,
  metric: oneOf(
    TRAJECTORY_METRICS.map(({ value }) => value),
    "probability",
  ),
  actual: onOff(true),
  table: onOff(false),
};

export const useTrajectoryChoices = () => useChoices("trajectories", SPEC);
