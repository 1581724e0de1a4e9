import { NotesButton } from "@/features/notes/NotesButton";
import { COLOURINGS, type Colouring, type Settings } from "@/features/settings/settings";
import { TintLegend } from "@/features/transcript/TintLegend";
import type { Colours } from "@/features/transcript/useTints";
import type { Timeline } from "@/model/timeline";
import { decodedText } from "@/model/tokens";
import { IconButton } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import { Switch } from "@/ui/Switch";
import type { Mode } from "./chatState";

const NAMES: Record<Colouring, string> = {
  none: "nothing",
  surprisal: "surprisal",
  entropy: "entropy",
  decided: "layer decided",
};

interface ConversationToolbarProps {
  readonly timeline: Timeline;
  readonly settings: Settings;
  readonly nLayers: number;
  readonly colours: Colours;
  readonly mode: Mode;
  readonly hasTemplate: boolean;
  readonly isMaximised: boolean;
  readonly onChange: (change: Partial<Settings>) => void;
  readonly onToggleMaximise: () => void;
}

/** How the text is shown: coloured by what, with or without the template; and the way to copy it. */
export function ConversationToolbar(props: ConversationToolbarProps) {
  const { timeline, settings, nLayers, colours, mode, hasTemplate, isMaximised, onChange, onToggleMaximise } =
    props;
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-x-4 border-b border-line px-3 py-1 max-md:gap-x-1 md:px-4">
      <label className="inline-flex min-h-8 items-center gap-2 text-muted max-md:gap-1">
        Colour by
        <select
          value={settings.colouring}
          onChange={(event) => {
            const colouring = COLOURINGS.find((name) => name === event.target.value);
            if (colouring !== undefined) onChange({ colouring });
          }}
          className="h-7 rounded-control border border-line-strong bg-raised px-1.5 text-ink"
        >
          {COLOURINGS.map((name) => (
            <option key={name} value={name}>
              {NAMES[name]}
            </option>
          ))}
        </select>
      </label>
      {hasTemplate && (
        <Switch
          label="Template"
          checked={settings.showTemplate}
          onChange={(showTemplate) => onChange({ showTemplate })}
        />
      )}
      <div className="ml-auto flex items-center">
        <NotesButton />
        <CopyButton label="Copy the text" text={() => decodedText(timeline.tokens)} />
        <IconButton
          icon={isMaximised ? "collapse" : "expand"}
          label={isMaximised ? "Show the evidence again" : "Give the conversation the whole width"}
          className="max-md:hidden"
          onClick={onToggleMaximise}
        />
      </div>
      {settings.colouring !== "none" && (
        <TintLegend
          metric={settings.colouring}
          nLayers={nLayers}
          colours={colours}
          isBusy={timeline.status !== "settled"}
          hasOwnItalic={mode === "completion"}
        />
      )}
    </div>
  );
}
