import clsx from "clsx";
import { type KeyboardEvent, useId, useRef, useState } from "react";
import { isOfInputMethod } from "@/base/composing";
import { readStored, writeStored } from "@/base/stored";
import { Dialog } from "@/ui/Dialog";
import { Icon } from "@/ui/Icon";
import { found, keyOf, recentFirst, withLatest } from "./ranking";
import { type PaletteCommand, type PaletteActions, useCommands } from "./useCommands";

interface CommandPaletteProps extends PaletteActions {
  readonly onClose: () => void;
}

const RECENT = "recent-commands";

const readRecent = (): readonly string[] =>
  readStored<readonly string[]>(
    RECENT,
    (stored) => (Array.isArray(stored) ? stored.filter((key) => typeof key === "string") : undefined),
    [],
  );

/** Everything the page can do, by name. It is mounted while it is open. */
export default function CommandPalette({ onClose, ...actions }: CommandPaletteProps) {
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const [before] = useState(() => document.activeElement);
  const chosen = useRef<PaletteCommand | null>(null);
  const id = useId();
  const { commands, goTo } = useCommands(actions, query);
  const [recent] = useState(readRecent);
  const hits = query.trim() === "" ? recentFirst(commands, recent) : [...goTo, ...found(commands, query)];
  const at = Math.min(active, hits.length - 1);
  const optionId = (index: number): string => `${id}-${index}`;

  const choose = (command: PaletteCommand | undefined): void => {
    if (command === undefined) return;
    chosen.current = command;
    const original = commands.find((each) => keyOf(each) === keyOf(command)) ?? command;
    writeStored(RECENT, withLatest(readRecent(), original));
    onClose();
  };
  const moveTo = (index: number): void => {
    setActive(index);
    document.getElementById(optionId(index))?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (isOfInputMethod(event.nativeEvent)) return;
    const last = hits.length - 1;
    const moves: Readonly<Record<string, number>> = {
      ArrowDown: at >= last ? 0 : at + 1,
      ArrowUp: at <= 0 ? last : at - 1,
      PageDown: Math.min(last, at + 8),
      PageUp: Math.max(0, at - 8),
    };
    const next = moves[event.key];
    if (event.key === "Enter") choose(hits[at]);
    else if (next !== undefined && last >= 0) moveTo(next);
    else return;
    event.preventDefault();
  };

  return (
    <Dialog
      title="Commands"
      isOpen
      onClose={onClose}
      // The field takes the focus before the dialog can see where it was. The command comes last, so
      // that one which moves the focus has its way.
      onClosed={(event) => {
        event.preventDefault();
        if (before instanceof HTMLElement) before.focus();
        chosen.current?.run();
      }}
    >
      <div className="relative">
        <Icon name="search" className="absolute top-2.5 left-2.5 text-quiet" />
        <input
          // The dialog was asked for by a key: what is typed next is meant for it.
          // eslint-disable-next-line jsx-a11y/no-autofocus
          autoFocus
          type="text"
          role="combobox"
          aria-label="Find a command"
          aria-expanded
          aria-controls={`${id}-list`}
          aria-activedescendant={at < 0 ? undefined : optionId(at)}
          autoComplete="off"
          spellCheck={false}
          placeholder="Find a command, a conversation or a token"
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={onKeyDown}
          className="h-9 w-full rounded-control border border-line-strong bg-surface pr-2 pl-8 text-ink"
        />
      </div>
      <p role="status" className={hits.length === 0 ? "mt-2 px-2 py-1 text-muted" : "sr-only"}>
        {hits.length === 0 ? "No matching command" : `${hits.length} commands`}
      </p>
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label="Commands"
        className={clsx("mt-2 h-[min(24rem,55dvh)] overflow-y-auto", hits.length === 0 && "hidden")}
      >
        {hits.map((command, index) => (
          <div key={keyOf(command)} role="presentation">
            {command.group !== hits[index - 1]?.group && (
              <div role="presentation" className="px-2 pt-2 pb-0.5 text-cell text-quiet">
                {command.group}
              </div>
            )}
            {/* The input keeps the focus; its keys move among the options. */}
            {/* eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus */}
            <div
              id={optionId(index)}
              role="option"
              aria-selected={index === at}
              onClick={() => choose(command)}
              onPointerMove={() => setActive(index)}
              className={clsx(
                "flex min-h-8 items-center justify-between gap-3 rounded-mark px-2 py-1",
                index === at && "bg-accent-soft",
              )}
            >
              <span className="min-w-0 break-words">{command.label}</span>
              {command.key !== undefined && (
                <kbd className="rounded-[4px] border border-line-strong bg-surface px-1.5 font-mono text-label">
                  {command.key}
                </kbd>
              )}
            </div>
          </div>
        ))}
      </div>
    </Dialog>
  );
}
