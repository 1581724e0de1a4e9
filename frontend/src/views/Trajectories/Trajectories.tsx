import { NothingSelected } from "@/features/evidence/NothingSelected";
import type { ViewProps } from "@/features/evidence/view";
import { useSelection } from "@/features/selection/selection";
import { TokenTrajectories } from "./TokenTrajectories";

export { note } from "./note";

/** How chosen tokens move over the layers. */
export default function Trajectories({ timeline }: ViewProps) {
  const { index } = useSelection();
  if (index === null || index >= timeline.tokens.length) {
    return <NothingSelected timeline={timeline} shows="how it and its rivals moved over the layers" />;
  }
  return <TokenTrajectories timeline={timeline} index={index} />;
}
