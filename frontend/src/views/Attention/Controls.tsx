import { Segmented } from "@/ui/Segmented";
import { Select, type SelectOption } from "@/ui/Select";
import { ToggleButton } from "@/ui/ToggleButton";
import { type AttentionChoices, type FOILS, READ_DIRECTIONS } from "./choices";
import { KINDS } from "./kinds";

const KIND_OPTIONS = (["weight", "norm", "logit"] as const).map((value) => ({
  value,
  label: KINDS[value].label,
}));

const FOIL_OPTIONS: readonly SelectOption<(typeof FOILS)[number]>[] = [
  { value: "best", label: "best other token", hint: "The most probable token other than the target" },
  { value: "mean", label: "mean of all", hint: "The mean of the logits of all tokens" },
  { value: "none", label: "nothing", hint: "The logit of the target itself" },
];

interface ControlsProps {
  readonly choices: AttentionChoices;
  readonly onChoose: (change: Partial<AttentionChoices>) => void;
}

/** What is read, where, and what its colours are. */
export function Controls({ choices, onChoose }: ControlsProps) {
  const { direction, kind, foil, sink } = choices;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-3 py-1">
      <Segmented
        label="Direction"
        value={direction}
        options={READ_DIRECTIONS}
        onChange={(value) => onChoose({ direction: value })}
      />
      {direction !== "readBy" && (
        <Segmented
          label="Drawn"
          value={kind}
          options={KIND_OPTIONS}
          onChange={(value) => onChoose({ kind: value })}
        />
      )}
      {direction !== "readBy" && kind === "logit" && (
        <Select
          label="Less"
          value={foil}
          options={FOIL_OPTIONS}
          onChange={(value) => onChoose({ foil: value })}
        />
      )}
      {direction !== "readBy" && (
        <ToggleButton
          label="First token in scale"
          title="Let the first token, on which many heads rest, set the scale of the colours and bars as well"
          isOn={sink}
          onChange={(value) => onChoose({ sink: value })}
          className="ml-auto"
        />
      )}
    </div>
  );
}
