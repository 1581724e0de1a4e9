import { Button } from "@/ui/Button";
import { Popover } from "@/ui/Popover";
import { Segmented } from "@/ui/Segmented";
import { Switch } from "@/ui/Switch";
import type { LayersChoices } from "./choices";

interface ChoiceControlsProps {
  readonly choices: LayersChoices;
  readonly onChange: (change: Partial<LayersChoices>) => void;
}

const SCOPE_OPTIONS = [
  { value: "reply", label: "Reply", hint: "Only what the model generated" },
  { value: "all", label: "All", hint: "Your text too, and the template where it is shown" },
] as const;

/** Which tokens are shown, and how. */
export function ChoiceControls({ choices, onChange }: ChoiceControlsProps) {
  return (
    <div className="flex shrink-0 items-center gap-1.5">
      <Segmented
        label="Tokens shown"
        value={choices.scope}
        options={SCOPE_OPTIONS}
        onChange={(scope) => onChange({ scope })}
      />
      <Popover label="Display options" align="end" trigger={<Button icon="sliders">Display options</Button>}>
        <div className="flex flex-col gap-1">
          <Switch
            label="Mark matches (actual token, final top-1)"
            checked={choices.hasMarks}
            onChange={(hasMarks) => onChange({ hasMarks })}
          />
          <Switch
            label="Mark changes since the layer below"
            checked={choices.hasChanges}
            onChange={(hasChanges) => onChange({ hasChanges })}
          />
          <Switch
            label="Show actual token under mismatches"
            checked={choices.hasActual}
            onChange={(hasActual) => onChange({ hasActual })}
          />
          <Switch
            label="Tint by probability"
            checked={choices.hasTint}
            onChange={(hasTint) => onChange({ hasTint })}
          />
        </div>
      </Popover>
    </div>
  );
}
