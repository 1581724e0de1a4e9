/** The ways to look at the evidence, in the order of the tabs and of the keys 1 to 9. */
import { defineView, withKeys } from "@/features/evidence/view";

const sentence = (reason: string): string => (reason.endsWith(".") ? reason : `${reason}.`);

export const VIEWS = withKeys([
  defineView({
    id: "standard",
    title: "Standard",
    group: "read",
    follows: "token",
    load: () => import("@/views/Standard/Standard"),
  }),
  defineView({
    id: "heatmap",
    title: "Heatmap",
    group: "read",
    follows: "text",
    load: () => import("@/views/Heatmap/Heatmap"),
  }),
  defineView({
    id: "trajectories",
    title: "Trajectories",
    group: "read",
    follows: "token",
    showsPair: true,
    load: () => import("@/views/Trajectories/Trajectories"),
  }),
  defineView({
    id: "layers",
    title: "Layers",
    group: "read",
    follows: "text",
    load: () => import("@/views/Layers/Layers"),
  }),
  defineView({
    id: "compare",
    title: "Compare",
    group: "read",
    follows: "text",
    showsPair: true,
    load: () => import("@/views/Compare/Compare"),
  }),
  defineView({
    id: "attribution",
    title: "Attribution",
    group: "why",
    follows: "token",
    needs: ({ capabilities: { sublayers } }) =>
      sublayers.available
        ? null
        : `The predictions of this model cannot be taken apart: ${sentence(sublayers.reason ?? "its parts do not add up")}`,
    load: () => import("@/views/Attribution/Attribution"),
  }),
  defineView({
    id: "attention",
    title: "Attention",
    group: "why",
    follows: "token",
    needs: ({ capabilities: { attention } }) =>
      attention.available
        ? null
        : `The attention of this model cannot be read: ${attention.reason ?? "its rows do not add up."}`,
    load: () => import("@/views/Attention/Attention"),
  }),
  defineView({
    id: "steer",
    title: "Steer",
    group: "change",
    follows: "text",
    needs: ({ capabilities: { interventions } }) =>
      interventions.available
        ? null
        : `The computation of this model cannot be changed: ${sentence(interventions.reason ?? "an edit does not act")}`,
    load: () => import("@/views/Steer/Steer"),
  }),
  defineView({
    id: "patch",
    title: "Patch",
    group: "change",
    follows: "text",
    showsPair: true,
    load: () => import("@/views/Patch/Patch"),
  }),
]);
