import { useId } from "react";
import type { Mode } from "@/features/chat/chatState";
import { useSettings } from "@/features/settings/settings";
import { Button } from "@/ui/Button";
import { Popover } from "@/ui/Popover";
import { Segmented } from "@/ui/Segmented";

const MODES = [
  { value: "chat", label: "Chat", hint: "Messages in turns, through the model’s chat template" },
  { value: "completion", label: "Completion", hint: "Raw text that the model continues" },
] as const;

interface OpeningProps {
  readonly mode: Mode;
  readonly onChangeMode: (mode: Mode) => void;
}

/** What a new conversation begins as: messages or raw text, and under which system prompt. */
export function Opening({ mode, onChangeMode }: OpeningProps) {
  return (
    <div className="mb-1 flex items-center justify-between gap-2">
      <Segmented label="Mode" value={mode} options={MODES} onChange={onChangeMode} />
      {mode === "chat" && <SystemPrompt />}
    </div>
  );
}

function SystemPrompt() {
  const { settings, update } = useSettings();
  const id = useId();
  const text = settings.systemPrompt.trim();
  return (
    <Popover
      label="System prompt"
      align="end"
      trigger={
        <Button look="quiet" className="min-w-0 font-normal">
          <span className="truncate">System: {text === "" ? "default" : text}</span>
        </Button>
      }
    >
      <label htmlFor={id} className="block font-medium">
        System prompt
      </label>
      <textarea
        id={id}
        rows={4}
        dir="auto"
        value={settings.systemPrompt}
        onChange={(event) => update({ systemPrompt: event.target.value })}
        placeholder="Default: the one of the model’s template, if it has one"
        className="mt-1 block w-full resize-y rounded-control border border-line-strong bg-surface p-2 placeholder:text-quiet"
      />
      <p className="mt-1 text-label text-muted">
        Precedes the first message of each new conversation. An ongoing one keeps its own.
      </p>
    </Popover>
  );
}
