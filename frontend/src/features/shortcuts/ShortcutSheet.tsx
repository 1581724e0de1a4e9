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
    [["[", "]"], "Previous and next token"],
    [["{", "}"], "Extend the range of tokens to the left or right"],
    [["j", "k"], "Layer below and above"],
    [["n"], "Write a note on what is selected"],
    ...views.flatMap(({ shortcut, title }) => (shortcut === null ? [] : [[[shortcut], title] as const])),
    [[".", ","], "In Compare: next and previous difference"],
    [["Ctrl-K", "⌘K"], "Search, or run a command"],
    [["/"], "Write a message"],
    [["Esc"], "Stop the reply, or close what is open"],
    [["?"], "Help"],
  ];
  return (
    <Dialog title="Help" isOpen onClose={onClose}>
      <div className="mb-3 flex items-center justify-between gap-3 border-b border-line pb-3">
        <p className="text-muted">New here? The tour shows a worked example in five steps.</p>
        <Button
          onClick={() => {
            onClose();
            onStartTour();
          }}
        >
          Take the tour
        </Button>
      </div>
      <h3 className="mb-1.5 font-medium">Keys</h3>
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
      <div className="mt-2 border-t border-line pt-2">
        <Switch
          label="Single keys work as shortcuts"
          checked={settings.shortcuts}
          onChange={(shortcuts) => update({ shortcuts })}
        />
      </div>
    </Dialog>
  );
}
