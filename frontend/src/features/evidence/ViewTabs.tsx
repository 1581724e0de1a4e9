import clsx from "clsx";
import { Button } from "@/ui/Button";
import { chooseByArrows } from "@/ui/chooseByArrows";
import { type ViewDefinition, type ViewGroup, panelId, tabId } from "./view";
import { groupsOf } from "./viewGroups";

interface ViewTabsProps {
  readonly views: readonly ViewDefinition[];
  readonly viewId: string;
  readonly onChangeView: (viewId: string) => void;
  readonly className?: string | undefined;
}

/** The views of the open group by name, in more than one line only where a panel was drawn very narrow. */
export function ViewTabs({ views, viewId, onChangeView, className }: ViewTabsProps) {
  const open = groupsOf(views).find((group) => group.views.some(({ id }) => id === viewId));
  return (
    <div
      role="tablist"
      aria-label="Views"
      data-tour="views"
      className={clsx(
        "-mb-px -ml-1.5 flex min-w-0 flex-wrap gap-x-0.5 max-md:ml-0 max-sm:flex-1 max-sm:gap-0",
        className,
      )}
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
            "h-9 shrink-0 rounded-control border-b-2 border-transparent px-1.25 tight:px-1 font-medium text-muted transition-colors hover:text-ink focus-visible:-outline-offset-2 max-md:px-1 max-sm:grow",
            "aria-selected:rounded-b-none aria-selected:border-accent aria-selected:text-ink",
          )}
        >
          {view.title}
        </button>
      ))}
    </div>
  );
}

interface ViewGroupsProps extends Pick<ViewTabsProps, "views" | "viewId"> {
  readonly onOpenGroup: (group: ViewGroup) => void;
  /** Across the foot of the panel, where the line of the tabs is too narrow for both. */
  readonly isFoot: boolean;
}

/** The questions that the views answer, where there are several. */
export function ViewGroups({ views, viewId, onOpenGroup, isFoot }: ViewGroupsProps) {
  const groups = groupsOf(views);
  if (groups.length < 2) return null;
  return (
    <div
      role="group"
      aria-label="Groups of views"
      className={clsx(
        "flex shrink-0",
        isFoot
          ? "gap-1 border-t border-line p-0.5"
          : "mr-1 border-r border-line pr-1.5 tight:mr-0.5 tight:pr-1",
      )}
    >
      {groups.map(({ id, title, views: own }) => (
        <Button
          key={id}
          look="quiet"
          aria-pressed={own.some((view) => view.id === viewId)}
          className={clsx(
            "px-1.5 tight:px-1 aria-pressed:bg-accent-soft aria-pressed:text-ink",
            isFoot && "flex-1",
          )}
          onClick={() => onOpenGroup(id)}
        >
          {title}
        </Button>
      ))}
    </div>
  );
}
