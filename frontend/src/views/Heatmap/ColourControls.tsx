import { Select, type SelectOption } from "@/ui/Select";
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

const ANSWERS: readonly SelectOption<Answer>[] = [
  { value: "off", label: "nothing" },
  {
    value: "output",
    label: "final-layer top-1",
    hint: "Cells whose top-1 prediction equals that of the output",
  },
  {
    value: "actual",
    label: "the actual next token",
    hint: "Cells whose top-1 prediction equals the actual next token",
  },
];
const NO_OUTLINE = -1;

/** The metric that colours the cells, and the cells that are highlighted or outlined. */
export function ColourControls({ look, metric, outlines, outlined, onChange }: ColourControlsProps) {
  const signIsHue = metric.isSigned && look.signedRamp === "diverging";
  return (
    <>
      <Select
        label="coloured by"
        value={metric.id}
        options={METRICS.map(({ id, title, explanation }) => ({
          value: id,
          label: title,
          hint: explanation,
        }))}
        onChange={(id) => onChange({ metric: id })}
        className="max-md:w-full"
      />
      <Select
        label="highlight"
        value={signIsHue ? "off" : look.answer}
        options={ANSWERS}
        onChange={(answer) => onChange({ answer })}
        disabledBecause={
          signIsHue ? "The diverging ramp’s own hue is the sign: choose another ramp first" : undefined
        }
        className="max-md:w-full"
      />
      <Select
        label="outline"
        value={outlined ?? NO_OUTLINE}
        options={[
          { value: NO_OUTLINE, label: outlines.length === 0 ? "no token is pinned" : "nothing" },
          ...outlines.map(({ id, text }) => ({ value: id, label: `${text} (id ${id})` })),
        ]}
        onChange={(id) => onChange({ outlinedToken: id === NO_OUTLINE ? null : id })}
        disabledBecause={
          outlines.length === 0
            ? "Pin a token in the card below the grid to outline where it is likely"
            : undefined
        }
        className="max-md:w-full"
      />
      {outlined !== null && (
        <Select
          label="at rank"
          value={look.outlinedRank}
          options={OUTLINED_RANKS.map((rank) => ({ value: rank, label: rank === 1 ? "1" : `1 to ${rank}` }))}
          onChange={(outlinedRank) => onChange({ outlinedRank })}
          className="max-md:w-full"
        />
      )}
    </>
  );
}
