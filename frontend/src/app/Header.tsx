import { memo } from "react";
import { ModelFacts } from "@/features/server/ModelFacts";
import { SelfCheckBadge } from "@/features/server/SelfCheckBadge";
import type { ServerState } from "@/features/server/server";
import { setTheme, useTheme } from "@/features/settings/theme";
import { TypeSizeMenu } from "@/features/settings/TypeSizeMenu";
import { IconButton } from "@/ui/Button";
import { Icon } from "@/ui/Icon";

interface HeaderProps {
  readonly server: ServerState;
  readonly onStartNew: () => void;
  readonly onShowHelp: () => void;
  readonly onShowPalette: () => void;
  readonly hasSidebar: boolean;
  readonly onToggleSidebar: () => void;
  readonly onOpenSheet: () => void;
}

/** The page's name, its model, and the ways to everything: the search field, help and how the page looks. */
export const Header = memo(function Header(props: HeaderProps) {
  const { server, onStartNew, onShowHelp, onShowPalette, hasSidebar, onToggleSidebar, onOpenSheet } = props;
  const theme = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <header className="@container flex h-11 shrink-0 items-center gap-1 border-b border-line bg-raised px-2 md:px-3">
      <IconButton
        icon="list"
        label={hasSidebar ? "Hide the conversations" : "Show the conversations"}
        aria-expanded={hasSidebar}
        className="max-md:hidden"
        onClick={onToggleSidebar}
      />
      <IconButton icon="list" label="Conversations" className="md:hidden" onClick={onOpenSheet} />
      {/* The list has one as well, so there is always one in view and never two. */}
      <IconButton
        icon="plus"
        label="New conversation"
        className={hasSidebar ? "md:hidden" : undefined}
        onClick={onStartNew}
      />
      <h1 className="flex shrink-0 items-center gap-2 text-title font-semibold md:ml-1">
        <img src="/favicon.svg" alt="" className="size-6 max-md:hidden" />
        <span className="max-lg:sr-only">Mechanistic Explorer</span>
      </h1>
      <div className="flex min-h-control min-w-0 flex-1 basis-0 items-center md:ml-2">
        <ModelFacts model={server.model} health={server.health} />
        {server.model !== null && (
          <SelfCheckBadge check={server.model.self_check} isOffline={server.phase === "lost"} />
        )}
      </div>
      <SearchField onShowPalette={onShowPalette} />
      <div className="flex flex-1 items-center justify-end max-md:flex-none">
        <IconButton
          icon="help"
          label="Help and keyboard shortcuts"
          className="max-md:hidden"
          onClick={onShowHelp}
        />
        <TypeSizeMenu />
        <IconButton
          icon={theme === "dark" ? "sun" : "moon"}
          label={`Use the ${other} theme`}
          onClick={() => setTheme(other)}
        />
      </div>
    </header>
  );
});

const IS_APPLE = /Mac OS|iPhone|iPad/.test(navigator.userAgent);

/** Looks like a field and opens the palette, where one types. */
function SearchField({ onShowPalette }: Pick<HeaderProps, "onShowPalette">) {
  return (
    <button
      type="button"
      aria-keyshortcuts="Control+K Meta+K"
      onClick={onShowPalette}
      className="flex h-control min-w-control shrink items-center gap-2 rounded-control border border-line bg-surface px-2 text-muted transition-colors hover:bg-hover hover:text-ink max-md:justify-center max-md:border-transparent max-md:bg-transparent max-md:px-0 md:w-72"
    >
      <Icon name="search" />
      <span className="truncate max-md:sr-only">Search or run…</span>
      <kbd aria-hidden="true" className="ml-auto font-mono text-label text-quiet max-md:hidden">
        {IS_APPLE ? "⌘K" : "Ctrl-K"}
      </kbd>
    </button>
  );
}
