import clsx from "clsx";
import { Tabs } from "radix-ui";
import { Button } from "@/ui/Button";
import { useOverflowFade } from "@/ui/useOverflowFade";
import type { ViewDefinition, ViewGroup } from "./view";
import { groupsOf } from "./viewGroups";

interface ViewTabsProps {
  readonly views: readonly ViewDefinition[];
  readonly viewId: string;
  readonly onOpenGroup: (group: ViewGroup) => void;
}

/**
 * The views of the open group by name, in one line that scrolls where it is too narrow for all. The
 * groups stand before them where there are several.
 */
export function ViewTabs({ views, viewId, onOpenGroup }: ViewTabsProps) {
  const list = useOverflowFade<HTMLDivElement>(viewId);
  const groups = groupsOf(views);
  const open = groups.find((group) => group.views.some(({ id }) => id === viewId));
  return (
    <>
      {groups.length > 1 && (
        <div role="group" aria-label="Groups of views" className="flex shrink-0">
          {groups.map(({ id, title }) => (
            <Button
              key={id}
              look="quiet"
              aria-pressed={id === open?.id}
              className="px-2 aria-pressed:bg-hover"
              onClick={() => onOpenGroup(id)}
            >
              {title}
            </Button>
          ))}
        </div>
      )}
      <Tabs.List
        ref={list}
        aria-label="Views"
        data-tour="views"
        className="fade-overflow -mb-px -ml-1.5 flex min-w-0 gap-2 overflow-x-auto max-md:ml-0 max-md:flex-1 max-md:justify-between max-md:gap-0"
      >
        {open?.views.map((view) => (
          <Tabs.Trigger
            key={view.id}
            value={view.id}
            title={view.shortcut === null ? undefined : `Key ${view.shortcut}`}
            className={clsx(
              "h-9 shrink-0 rounded-control border-b-2 border-transparent px-1.5 font-medium text-muted transition-colors hover:text-ink focus-visible:-outline-offset-2 max-md:px-1",
              "data-[state=active]:rounded-b-none data-[state=active]:border-accent data-[state=active]:text-ink",
            )}
          >
            {view.title}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
    </>
  );
}
