import { Legend } from "@/charts/heatmap/Legend";
import { WidthControls } from "@/charts/heatmap/WidthControls";
import { useIsNarrow } from "@/ui/media";
import { Switch } from "@/ui/Switch";
import type { HeatmapLook } from "./choices";
import { ColourControls, type OutlineChoice } from "./ColourControls";
import { LookControls } from "./LookControls";
import type { useCells } from "./useCells";

interface ControlsProps {
  readonly look: HeatmapLook;
  readonly drawn: ReturnType<typeof useCells>;
  readonly outlines: readonly OutlineChoice[];
  /** The one that is outlined. */
  readonly outlined: number | null;
  readonly onChange: (change: Partial<HeatmapLook>) => void;
  /** Makes every column fit into the view, as far as possible. */
  readonly onFit: () => void;
}

/** What takes the second hue, in words. */
const SECOND_MEANING = {
  output: "the first choice is already the output’s",
  actual: "the first choice is the token that follows",
} as const;

/** All that is chosen of how the grid is drawn, with its legend. On a narrow screen the grid has the room. */
export function Controls({ look, drawn, outlines, outlined, onChange, onFit }: ControlsProps) {
  const { metric, scale, ramp, answer, answerRamp, painted, hasExtremes } = drawn;
  const isNarrow = useIsNarrow();
  const colours = (
    <ColourControls look={look} metric={metric} outlines={outlines} outlined={outlined} onChange={onChange} />
  );
  const extremes = hasExtremes && (
    <Switch
      label="Let the first token and the embedding set the scale"
      checked={look.withExtremes}
      onChange={(withExtremes) => onChange({ withExtremes })}
    />
  );
  return (
    <div className="flex flex-wrap items-end gap-x-2 gap-y-1.5 px-3 pt-2 max-md:gap-y-0.5 max-md:pt-0.5">
      {!isNarrow && colours}
      <WidthControls
        cellWidth={look.cellWidth}
        onChange={(cellWidth) => onChange({ cellWidth })}
        onFit={onFit}
      />
      <Legend
        metric={metric}
        scale={scale}
        ramp={ramp}
        second={answer === "off" ? null : { ramp: answerRamp, meaning: SECOND_MEANING[answer] }}
        nClipped={painted?.looks.nClipped ?? 0}
      >
        {!isNarrow && extremes}
      </Legend>
      <LookControls look={look} metric={metric} onChange={onChange}>
        {isNarrow && colours}
        {isNarrow && extremes}
      </LookControls>
    </div>
  );
}
