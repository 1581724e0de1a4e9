/** The ways to look at the evidence. The order is that of the tabs. */
import { lazy } from "react";
import type { ViewDefinition } from "@/types/view";

export const VIEWS: readonly ViewDefinition[] = [
  { id: "standard", title: "Standard", shortcut: "1", Component: lazy(() => import("./Standard/Standard")) },
  { id: "heatmap", title: "Heatmap", shortcut: "2", Component: lazy(() => import("./Heatmap/Heatmap")) },
  {
    id: "trajectories",
    title: "Trajectories",
    shortcut: "3",
    Component: lazy(() => import("./Trajectories/Trajectories")),
  },
];
