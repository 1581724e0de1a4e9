import { Legend } from "@/charts/heatmap/Legend";
import { WidthControls } from "@/charts/heatmap/WidthControls";
import { useIsLow, useIsNarrow } from "@/ui/media";
import { Switch } from "@/ui/Switch";
import { type HeatmapLook, fitsRows } from "./choices";
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
  /** Makes every column and every row fit into the view, as far as possible. */
  readonly onFit: () => void;
}

/** What is highlighted, in words. */
const SECOND_MEANING = {
  output: "top-1 equals final-layer top-1",
  actual: "top-1 equals the actual next token",
} as const;

/** How the grid is drawn, with its legend. In a narrow or low window most of it is in a popover: the grid has the room. */
export function Controls({ look, drawn, outlines, outlined, onChange, onFit }: ControlsProps) {
  const { metric, scale, ramp, answer, answerRamp, painted, hasExtremes } = drawn;
  const isNarrow = useIsNarrow();
  const isLow = useIsLow();
  const isFolded = isNarrow || isLow;
  const colours = (
    <ColourControls look={look} metric={metric} outlines={outlines} outlined={outlined} onChange={onChange} />
  );
  const extremes = (
    <>
      {hasExtremes && (
        <Switch
          label="Include first position and embedding in the colour range"
          checked={look.withExtremes}
          onChange={(withExtremes) => onChange({ withExtremes })}
        />
      )}
      {metric.fullRange !== undefined && (
        <Switch label={metric.fullRange} checked={look.isFull} onChange={(isFull) => onChange({ isFull })} />
      )}
    </>
  );
  return (
    <div className="flex shrink-0 flex-wrap items-end gap-x-2 gap-y-1.5 px-3 pt-2 max-md:gap-y-0.5 max-md:pt-0.5">
      {!isFolded && colours}
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
        isNamed={isFolded}
      >
        {!isFolded && extremes}
      </Legend>
      <LookControls
        look={look}
        metric={metric}
        fitsRows={fitsRows(look, drawn.layers.length)}
        onChange={onChange}
      >
        {isFolded && colours}
        {isFolded && extremes}
      </LookControls>
    </div>
  );
}
