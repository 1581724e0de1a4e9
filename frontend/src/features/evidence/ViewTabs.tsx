import clsx from "clsx";
import { Tabs } from "radix-ui";
import { useOverflowFade } from "@/ui/useOverflowFade";
import type { ViewDefinition } from "./view";

interface ViewTabsProps {
  readonly views: readonly ViewDefinition[];
  readonly viewId: string;
}

/** The views by name, in one line that scrolls where it is too narrow for all. */
export function ViewTabs({ views, viewId }: ViewTabsProps) {
  const list = useOverflowFade<HTMLDivElement>(viewId);
  return (
    <Tabs.List
      ref={list}
      aria-label="Views"
      data-tour="views"
      className="fade-overflow -mb-px -ml-1.5 flex min-w-0 gap-2 overflow-x-auto max-md:ml-0 max-md:flex-1 max-md:justify-between max-md:gap-0"
    >
      {views.map((view) => (
        <Tabs.Trigger
          key={view.id}
          value={view.id}
          title={`Key ${view.shortcut}`}
          className={clsx(
            "h-9 shrink-0 rounded-control border-b-2 border-transparent px-1.5 font-medium text-muted transition-colors hover:text-ink focus-visible:-outline-offset-2 max-md:px-1",
            "data-[state=active]:rounded-b-none data-[state=active]:border-accent data-[state=active]:text-ink",
          )}
        >
          {view.title}
        </Tabs.Trigger>
      ))}
    </Tabs.List>
  );
}
