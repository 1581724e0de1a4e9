import { memo } from "react";
import type { Mode } from "@/features/chat/chatState";
import { ModelFacts } from "@/features/server/ModelFacts";
import { SelfCheckBadge } from "@/features/server/SelfCheckBadge";
import type { ServerState } from "@/features/server/server";
import { setTheme, useTheme } from "@/features/settings/theme";
import { IconButton } from "@/ui/Button";
import { Segmented } from "@/ui/Segmented";

const MODES = [
  { value: "chat", label: "Chat", hint: "Messages in turns, through the model’s chat template" },
  { value: "completion", label: "Completion", hint: "Raw text that the model continues" },
] as const;

interface HeaderProps {
  readonly server: ServerState;
  readonly mode: Mode;
  readonly onChangeMode: (mode: Mode) => void;
  readonly onStartNew: () => void;
  readonly onShowShortcuts: () => void;
  readonly onShowPalette: () => void;
  readonly hasSidebar: boolean;
  readonly onToggleSidebar: () => void;
  readonly onOpenSheet: () => void;
}

export const Header = memo(function Header(props: HeaderProps) {
  const { server, mode, onChangeMode, onStartNew, onShowShortcuts, onShowPalette } = props;
  const { hasSidebar, onToggleSidebar, onOpenSheet } = props;
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <header className="flex h-12 shrink-0 items-center gap-1 border-b border-line bg-raised px-2 md:px-3">
      <IconButton
        icon="list"
        label={hasSidebar ? "Hide the conversations" : "Show the conversations"}
        aria-expanded={hasSidebar}
        className="max-md:hidden"
        onClick={onToggleSidebar}
      />
      <IconButton icon="list" label="Conversations" className="md:hidden" onClick={onOpenSheet} />
      <h1 className="flex shrink-0 items-center gap-2 text-title font-semibold">
        <img src="/favicon.svg" alt="" className="size-6 max-sm:hidden" />
        <span className="max-md:sr-only">Mechanistic Explorer</span>
      </h1>
      <div className="flex min-w-0 flex-1 items-center md:ml-2">
        {server.model === null ? (
          <span className="truncate px-2 text-muted">{server.health?.model ?? ""}</span>
        ) : (
          <>
            <ModelFacts model={server.model} />
            <SelfCheckBadge check={server.model.self_check} isOffline={server.phase === "lost"} />
          </>
        )}
      </div>
      <Segmented label="Mode" value={mode} options={MODES} onChange={onChangeMode} />
      <IconButton icon="plus" label="New conversation" className="max-md:hidden" onClick={onStartNew} />
      <IconButton
        icon="search"
        label="Commands (Ctrl-K or ⌘K)"
        className="max-md:hidden"
        onClick={onShowPalette}
      />
      <IconButton
        icon="keyboard"
        label="Keyboard shortcuts"
        className="max-md:hidden"
        onClick={onShowShortcuts}
      />
      <IconButton
        icon={theme === "dark" ? "sun" : "moon"}
        label={`Use the ${other} theme`}
        onClick={() => setTheme(other)}
      />
    </header>
  );
});
