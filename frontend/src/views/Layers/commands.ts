import type { Command } from "@/features/export/useViewExport";
import type { LayersChoices } from "./choices";
import type { Play } from "./usePlay";

interface LayersActions {
  readonly layer: number;
  readonly last: number;
  readonly step: number;
  readonly play: Play;
  readonly choices: LayersChoices;
  /** Nothing moves by itself. */
  readonly isStill: boolean;
  readonly onChangeLayer: (layer: number) => void;
  readonly onChangeChoices: (change: Partial<LayersChoices>) => void;
}

/** What the palette lists while the view is open. */
export function layersCommands(actions: LayersActions): Command[] {
  const { layer, last, step, play, choices, isStill, onChangeLayer, onChangeChoices } = actions;
  const { scope, hasMarks, hasChanges, hasActual, hasTint } = choices;
  return [
    ...(isStill
      ? []
      : play.isPlaying
        ? [{ label: "Stop stepping through the layers", run: play.stop }]
        : [{ label: "Play: step through the layers", run: play.start }]),
    ...(layer < last ? [{ label: "Go to the layer above", run: () => onChangeLayer(layer + step) }] : []),
    ...(layer > 0 ? [{ label: "Go to the layer below", run: () => onChangeLayer(layer - step) }] : []),
    {
      label: hasMarks ? "Hide the marks of matches" : "Mark matches (actual token, final top-1)",
      run: () => onChangeChoices({ hasMarks: !hasMarks }),
    },
    {
      label: hasChanges ? "Hide the marks of changes" : "Mark changes since the layer below",
      run: () => onChangeChoices({ hasChanges: !hasChanges }),
    },
    {
      label: hasActual ? "Hide the actual token under mismatches" : "Show actual token under mismatches",
      run: () => onChangeChoices({ hasActual: !hasActual }),
    },
    {
      label: hasTint ? "Do not tint the words" : "Tint the words by probability",
      run: () => onChangeChoices({ hasTint: !hasTint }),
    },
    {
      label: scope === "reply" ? "Show all tokens at the layer" : "Show only the reply at the layer",
      run: () => onChangeChoices({ scope: scope === "reply" ? "all" : "reply" }),
    },
  ];
}
