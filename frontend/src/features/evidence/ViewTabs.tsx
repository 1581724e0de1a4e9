import clsx from "clsx";
import { Button } from "@/ui/Button";
import { chooseByArrows } from "@/ui/chooseByArrows";
import { useOverflowFade } from "@/ui/useOverflowFade";
import { type ViewDefinition, type ViewGroup, panelId, tabId } from "./view";
import { groupsOf } from "./viewGroups";

interface ViewTabsProps {
  readonly views: readonly ViewDefinition[];
  readonly viewId: string;
  readonly onChangeView: (viewId: string) => void;
  readonly onOpenGroup: (group: ViewGroup) => void;
}

/**
 * The views of the open group by name, in one line that scrolls where it is too narrow for all. The
 * groups stand before them where there are several.
 */
export function ViewTabs({ views, viewId, onChangeView, onOpenGroup }: ViewTabsProps) {
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
      <div
        ref={list}
        role="tablist"
        aria-label="Views"
        data-tour="views"
        className="fade-overflow -mb-px -ml-1.5 flex min-w-0 gap-2 overflow-x-auto max-md:ml-0 max-sm:flex-1 max-sm:justify-between max-sm:gap-0"
      >
        {open?.views.map((view) => (
          <button
            key={view.id}
            type="button"
            role="tab"
            id={tabId(view.id)}
            aria-selected={view.id === viewId}
            aria-controls={view.id === viewId ? panelId(view.id) : undefined}
            tabIndex={view.id === viewId ? 0 : -1}
            onClick={() => onChangeView(view.id)}
            onKeyDown={chooseByArrows}
            title={view.shortcut === null ? undefined : `Key ${view.shortcut}`}
            className={clsx(
              "h-9 shrink-0 rounded-control border-b-2 border-transparent px-1.5 font-medium text-muted transition-colors hover:text-ink focus-visible:-outline-offset-2 max-md:px-1",
              "aria-selected:rounded-b-none aria-selected:border-accent aria-selected:text-ink",
            )}
          >
            {view.title}
          </button>
        ))}
      </div>
    </>
  );
}
