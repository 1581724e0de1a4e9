import type { ViewDefinition } from "@/features/evidence/view";
import { useSettings } from "@/features/settings/settings";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { Switch } from "@/ui/Switch";

interface ShortcutSheetProps {
  readonly views: readonly ViewDefinition[];
  readonly onClose: () => void;
  readonly onStartTour: () => void;
}

export default function ShortcutSheet({ views, onClose, onStartTour }: ShortcutSheetProps) {
  const { settings, update } = useSettings();
  const keys: readonly (readonly [readonly string[], string])[] = [
    [["[", "]"], "Token before, token after"],
    [["{", "}"], "A range of tokens, to the left, to the right"],
    [["j", "k"], "Layer below, layer above"],
    [["n"], "Write a note on what is selected"],
    ...views.flatMap(({ shortcut, title }) => (shortcut === null ? [] : [[[shortcut], title] as const])),
    [[".", ","], "In Compare: next difference, difference before"],
    [["Ctrl-K", "⌘K"], "Every command, by name"],
    [["/"], "Write a message"],
    [["Esc"], "Stop the reply, or close what is open"],
    [["?"], "This list"],
  ];
  return (
    <Dialog title="Keyboard" isOpen onClose={onClose}>
      <dl className="grid grid-cols-[6rem_1fr] items-center gap-y-1.5">
        {keys.map(([names, meaning]) => (
          <div key={meaning} className="contents">
            <dt className="flex gap-1">
              {names.map((name) => (
                <kbd
                  key={name}
                  className="min-w-6 rounded-[4px] border border-line-strong bg-surface px-1.5 text-center font-mono text-label"
                >
                  {name}
                </kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-3 text-muted">
        With the conversation focused, the arrow keys move from token to token and from line to line. Enter
        sends a message, Shift+Enter breaks its line.
      </p>
      <div className="mt-2 flex flex-wrap items-center justify-between gap-2 border-t border-line pt-2">
        <Switch
          label="Single keys work as shortcuts"
          checked={settings.shortcuts}
          onChange={(shortcuts) => update({ shortcuts })}
        />
        <Button
          onClick={() => {
            onClose();
            onStartTour();
          }}
        >
          Take the tour
        </Button>
      </div>
    </Dialog>
  );
}
