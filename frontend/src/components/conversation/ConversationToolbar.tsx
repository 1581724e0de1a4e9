import { NotesButton } from "@/components/notes/NotesButton";
import { IconButton } from "@/components/ui/Button";
import { CopyButton } from "@/components/ui/CopyButton";
import { Switch } from "@/components/ui/Switch";
import { COLOURINGS, type Colouring, type Settings } from "@/context/settings";
import { TINT_GRADIENT, tintScale } from "@/lib/tint";
import { decodedText } from "@/lib/tokens";
import type { Timeline } from "@/types/timeline";

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
  readonly hasTemplate: boolean;
  readonly isMaximised: boolean;
  readonly onChange: (change: Partial<Settings>) => void;
  readonly onToggleMaximise: () => void;
}

/** How the text is shown: coloured by what, with or without the template; and the way to copy it. */
export function ConversationToolbar(props: ConversationToolbarProps) {
  const { timeline, settings, nLayers, hasTemplate, isMaximised, onChange, onToggleMaximise } = props;
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
      {settings.colouring !== "none" && <Legend colouring={settings.colouring} nLayers={nLayers} />}
    </div>
  );
}

function Legend({
  colouring,
  nLayers,
}: {
  readonly colouring: Exclude<Colouring, "none">;
  readonly nLayers: number;
}) {
  const { title, unit, low, high, marked } = tintScale(colouring, nLayers);
  return (
    <p className="flex w-full flex-wrap items-center gap-x-2 pb-1 text-label text-muted">
      <span>
        {title}, {unit}:
      </span>
      {/* The ends of the scale stay at its sides. */}
      <span className="inline-flex items-center gap-x-2 whitespace-nowrap">
        <span>{low}</span>
        <span
          aria-hidden="true"
          className="h-3 w-24 border border-line"
          style={{ background: TINT_GRADIENT }}
        />
        <span>{high}</span>
      </span>
      <span className="underline decoration-dotted underline-offset-4">{marked}</span>
    </p>
  );
}
