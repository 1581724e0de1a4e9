import { type Direction, direction } from "@/components/lens/direction";
import { useChoices } from "@/context/choices";
import { type ChoiceSpec, oneOf, onOff } from "@/lib/choices";
import { TRAJECTORY_METRICS, type TrajectoryMetric } from "@/lib/trajectories";

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
