import { useState } from "react";
import { readStored, writeStored } from "@/lib/stored";
import { TRAJECTORY_METRICS, type TrajectoryMetric } from "@/lib/trajectories";

const STORED_AS = "trajectories-metric";

/** What the y axis shows, remembered in this browser. */
export function useMetric(): [TrajectoryMetric, (metric: TrajectoryMetric) => void] {
  const [metric, setMetric] = useState<TrajectoryMetric>(() =>
    readStored(
      STORED_AS,
      (stored) => TRAJECTORY_METRICS.find(({ value }) => value === stored)?.value,
      "probability",
    ),
  );
  return [
    metric,
    (next) => {
      setMetric(next);
      writeStored(STORED_AS, next);
    },
  ];
}
