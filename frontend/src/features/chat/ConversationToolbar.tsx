import { Suspense } from "react";
import { NotesButton } from "@/features/notes/NotesButton";
import type { Colouring, Settings, TextForm } from "@/features/settings/settings";
import type { TintMetric } from "@/features/transcript/tint";
import { useTints } from "@/features/transcript/useTints";
import { useShownViewTints } from "@/features/transcript/viewTints";
import { decodedText } from "@/model/tokens";
import { IconButton } from "@/ui/Button";
import { CopyButton } from "@/ui/CopyButton";
import { patientPart } from "@/ui/lazyPart";
import { Select, type SelectOption } from "@/ui/Select";
import { Switch } from "@/ui/Switch";
import { useChat, useChatNow } from "./chat";
import type { Mode } from "./chatState";

const TintLegend = patientPart(() => import("@/features/transcript/TintLegend"));
const ViewTintLegend = patientPart(() => import("@/features/transcript/ViewTintLegend"));

/** The colours of the open view, as a choice beside the text's own. */
const OF_VIEW = "view";

const COLOURS: readonly SelectOption<Colouring | typeof OF_VIEW>[] = [
  { value: "none", label: "nothing" },
  { value: "surprisal", label: "surprisal", hint: "Minus the log-probability of the token, in nats" },
  { value: "entropy", label: "entropy", hint: "Uncertainty of the prediction of the token, in nats" },
  {
    value: "decided",
    label: "decision layer",
    hint: "First layer from which the token stays top-1 up to the output",
  },
];

const CHAT_FORMS: readonly SelectOption<TextForm>[] = [
  {
    value: "reading",
    label: "Reading",
    hint: "Code, lists, headings and tables laid out; every character stays",
  },
  { value: "source", label: "Source", hint: "Every character in the fixed pitch, without layout" },
  { value: "plain", label: "Plain text", hint: "Text without tokens to select, for screen readers" },
];

/** A completion is not laid out: its text may begin and end anywhere. */
const COMPLETION_FORMS: readonly SelectOption<TextForm>[] = [
  { value: "reading", label: "Tokens", hint: "Each token can be selected" },
  { value: "plain", label: "Plain text", hint: "Text without tokens to select, for screen readers" },
];

interface ConversationToolbarProps {
  readonly settings: Settings;
  readonly nLayers: number;
  readonly mode: Mode;
  readonly hasTemplate: boolean;
  readonly isMaximised: boolean;
  readonly onChange: (change: Partial<Settings>) => void;
  readonly onToggleMaximise: () => void;
}

/** How the text is shown: its colours, its form, with or without the template; and the way to copy it. */
export function ConversationToolbar(props: ConversationToolbarProps) {
  const { settings, nLayers, mode, hasTemplate, isMaximised, onChange, onToggleMaximise } = props;
  const chatNow = useChatNow();
  const { textForm } = settings;
  const view = useShownViewTints();
  const isOfView = view?.isOn === true;
  return (
    <div className="@container flex shrink-0 flex-wrap items-center gap-x-2 border-b border-line px-3 py-1 max-md:gap-x-1 md:px-4">
      <Select
        label="Colour by"
        value={isOfView ? OF_VIEW : settings.colouring}
        options={
          view === null ? COLOURS : [...COLOURS, { value: OF_VIEW, label: view.label, hint: view.hint }]
        }
        onChange={(chosen) => {
          view?.setOn(chosen === OF_VIEW);
          if (chosen !== OF_VIEW) onChange({ colouring: chosen });
        }}
      />
      <Select
        label="Text"
        isLabelHidden
        value={mode === "completion" && textForm === "source" ? "reading" : textForm}
        options={mode === "chat" ? CHAT_FORMS : COMPLETION_FORMS}
        onChange={(form) => onChange({ textForm: form })}
      />
      {hasTemplate && textForm !== "plain" && (
        // A phone and a narrow column have the chips only.
        <span className="max-md:hidden @max-[30rem]:hidden">
          <Switch
            label="Template"
            checked={settings.showTemplate}
            onChange={(showTemplate) => onChange({ showTemplate })}
          />
        </span>
      )}
      <div className="ml-auto flex items-center">
        <NotesButton />
        <CopyButton label="Copy the text" text={() => decodedText(chatNow().timeline.tokens)} />
        <IconButton
          icon={isMaximised ? "collapse" : "expand"}
          label={isMaximised ? "Restore the split view" : "Maximise the conversation"}
          className="max-md:hidden"
          onClick={onToggleMaximise}
        />
      </div>
      {isOfView && (
        <Suspense fallback={<p className="h-5.5 w-full" />}>
          <ViewTintLegend {...view.legend} />
        </Suspense>
      )}
      {!isOfView && settings.colouring !== "none" && (
        <Suspense fallback={<p className="h-5.5 w-full" />}>
          <ShownTintLegend metric={settings.colouring} nLayers={nLayers} hasOwnBar={mode === "completion"} />
        </Suspense>
      )}
    </div>
  );
}

interface ShownTintLegendProps {
  readonly metric: TintMetric;
  readonly nLayers: number;
  readonly hasOwnBar: boolean;
}

/** Counts the tokens that have their colour, also while they arrive. */
function ShownTintLegend({ metric, nLayers, hasOwnBar }: ShownTintLegendProps) {
  const timeline = useChat((chat) => chat.timeline);
  return (
    <TintLegend
      metric={metric}
      nLayers={nLayers}
      colours={useTints(timeline, metric, nLayers)}
      isBusy={timeline.status !== "settled"}
      hasOwnBar={hasOwnBar}
    />
  );
}
