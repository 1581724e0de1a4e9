import type { Answer } from "@/components/heatmap/lensCells";
import { CELL_WIDTHS, zoomed } from "@/components/heatmap/geometry";
import { IconButton } from "@/components/ui/Button";
import { Select } from "@/components/ui/Select";
import { METRICS, type Metric } from "@/lib/metrics";
import { type HeatmapLook, OUTLINED_RANKS } from "./choices";

/** A pinned token that can be outlined. */
export interface OutlineChoice {
  readonly id: number;
  readonly text: string;
}

interface ToolbarProps {
  readonly look: HeatmapLook;
  readonly metric: Metric;
  readonly outlines: readonly OutlineChoice[];
  /** The one that is outlined. */
  readonly outlined: number | null;
  readonly onChange: (change: Partial<HeatmapLook>) => void;
  /** Makes every column fit into the view, as far as possible. */
  readonly onFit: () => void;
}

const ANSWER_LABELS: Readonly<Record<Answer, string>> = {
  off: "nothing",
  output: "the output’s choice",
  actual: "the actual next token",
};
const NO_OUTLINE = -1;

/** What the cells are coloured by, what is singled out among them, and how much of them is seen. */
export function Toolbar({ look, metric, outlines, outlined, onChange, onFit }: ToolbarProps) {
  const signIsHue = metric.isSigned && look.signedRamp === "diverging";
  return (
    <div className="contents">
      <Select
        label="coloured by"
        value={metric.id}
        options={METRICS.map(({ id, title }) => ({ value: id, label: title }))}
        onChange={(id) => onChange({ metric: id })}
        title={metric.explanation}
        className="w-60 max-md:w-full"
      />
      <Select
        label="second hue"
        value={signIsHue ? "off" : look.answer}
        options={Object.entries(ANSWER_LABELS).map(([value, label]) => ({ value: value as Answer, label }))}
        onChange={(answer) => onChange({ answer })}
        isDisabled={signIsHue}
        title={
          signIsHue
            ? "The diverging ramp’s own hue is the sign: choose another ramp first"
            : "Singles out the cells whose first choice is already this one"
        }
        className="w-40"
      />
      <Select
        label="outline"
        value={outlined ?? NO_OUTLINE}
        options={[
          { value: NO_OUTLINE, label: outlines.length === 0 ? "no token is pinned" : "nothing" },
          ...outlines.map(({ id, text }) => ({ value: id, label: `${text} (id ${id})` })),
        ]}
        onChange={(id) => onChange({ outlinedToken: id === NO_OUTLINE ? null : id })}
        isDisabled={outlines.length === 0}
        title={
          outlines.length === 0
            ? "Pin a token in the card below the grid to outline where it is likely"
            : "Draws a line around the cells where a pinned token is likely"
        }
        className="w-40"
      />
      {outlined !== null && (
        <Select
          label="at rank"
          value={look.outlinedRank}
          options={OUTLINED_RANKS.map((rank) => ({ value: rank, label: rank === 1 ? "1" : `1 to ${rank}` }))}
          onChange={(outlinedRank) => onChange({ outlinedRank })}
          className="w-20"
        />
      )}
      <div role="group" aria-label="Cell width" className="flex items-center">
        <IconButton
          icon="minus"
          label="Narrower cells"
          disabled={look.cellWidth === CELL_WIDTHS[0]}
          onClick={() => onChange({ cellWidth: zoomed(look.cellWidth, -1) })}
        />
        <IconButton
          icon="plus"
          label="Wider cells"
          disabled={look.cellWidth === CELL_WIDTHS.at(-1)}
          onClick={() => onChange({ cellWidth: zoomed(look.cellWidth, 1) })}
        />
        <IconButton icon="expand" label="Fit the whole conversation" onClick={onFit} />
      </div>
    </div>
  );
}
