import { Select } from "@/ui/Select";
import { type HeatmapLook, OUTLINED_RANKS } from "./choices";
import type { Answer } from "./lensCells";
import { METRICS, type Metric } from "./metrics";

/** A pinned token that can be outlined. */
export interface OutlineChoice {
  readonly id: number;
  readonly text: string;
}

interface ColourControlsProps {
  readonly look: HeatmapLook;
  readonly metric: Metric;
  readonly outlines: readonly OutlineChoice[];
  /** The one that is outlined. */
  readonly outlined: number | null;
  readonly onChange: (change: Partial<HeatmapLook>) => void;
}

const ANSWER_LABELS: Readonly<Record<Answer, string>> = {
  off: "nothing",
  output: "the output’s choice",
  actual: "the actual next token",
};
const NO_OUTLINE = -1;

/** What the cells are coloured by, and what is singled out among them. */
export function ColourControls({ look, metric, outlines, outlined, onChange }: ColourControlsProps) {
  const signIsHue = metric.isSigned && look.signedRamp === "diverging";
  return (
    <>
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
        className="w-40 max-md:w-full"
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
        className="w-40 max-md:w-full"
      />
      {outlined !== null && (
        <Select
          label="at rank"
          value={look.outlinedRank}
          options={OUTLINED_RANKS.map((rank) => ({ value: rank, label: rank === 1 ? "1" : `1 to ${rank}` }))}
          onChange={(outlinedRank) => onChange({ outlinedRank })}
          className="w-20 max-md:w-full"
        />
      )}
    </>
  );
}
