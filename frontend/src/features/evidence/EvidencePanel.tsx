import clsx from "clsx";
import { Tabs } from "radix-ui";
import { type ReactNode, Suspense } from "react";
import { useChat } from "@/features/chat/chat";
import { ExportButton } from "@/features/export/ExportButton";
import { useSelection } from "@/features/selection/selection";
import { IconButton } from "@/ui/Button";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { LensSelect } from "./LensSelect";
import { useTokenTimeline } from "./shownTimeline";
import { TokenHead } from "./TokenHead";
import type { ViewDefinition } from "./view";
import { ViewNoteButton } from "./ViewNoteButton";

interface EvidencePanelProps {
  readonly views: readonly ViewDefinition[];
  readonly viewId: string;
  /** Controls of the sheet that holds the panel on a narrow screen. */
  readonly sheetControls: ReactNode;
  readonly isMaximised: boolean;
  readonly onChangeView: (viewId: string) => void;
  readonly onToggleMaximise: () => void;
}

/** The selected token above, the evidence for it below. It follows the selection, never the stream. */
export function EvidencePanel(props: EvidencePanelProps) {
  const { views, viewId, sheetControls, isMaximised, onChangeView, onToggleMaximise } = props;
  const { index } = useSelection();
  const timeline = useTokenTimeline(index);
  const token = index === null ? undefined : timeline.tokens[index];
  const open = views.find((view) => view.id === viewId);
  return (
    <Tabs.Root
      value={viewId}
      onValueChange={onChangeView}
      className="@container flex min-h-0 min-w-0 flex-1 flex-col bg-raised"
    >
      <div className="flex shrink-0 items-center gap-1 border-b border-line px-3 py-1 max-sm:flex-wrap">
        {/* On a phone the tabs have a line of their own, or the last would not be seen whole. */}
        <div className="flex min-w-0 items-center gap-1 max-sm:contents">
          <Tabs.List
            aria-label="Views"
            data-tour="views"
            className="-mb-[5px] -ml-1.5 flex min-w-0 gap-1 overflow-x-auto @max-3xl:gap-0 max-sm:ml-0 max-sm:basis-full max-sm:justify-between"
          >
            {views.map((view) => (
              <Tabs.Trigger
                key={view.id}
                value={view.id}
                title={`Key ${view.shortcut}`}
                className={clsx(
                  "h-[37px] shrink-0 rounded-t-control border-b-2 border-transparent px-1.5 font-medium max-sm:px-0.5 text-muted transition-colors hover:text-ink focus-visible:-outline-offset-2",
                  "data-[state=active]:border-accent data-[state=active]:text-ink",
                )}
              >
                {view.title}
              </Tabs.Trigger>
            ))}
          </Tabs.List>
          {open !== undefined && (
            <span className="flex max-sm:mt-1.5">
              <ViewNoteButton view={open} />
            </span>
          )}
        </div>
        <span className="ml-auto flex min-w-0 items-center gap-1 max-sm:mt-1.5 max-sm:ml-0 max-sm:flex-1">
          <LensSelect />
          <ExportButton view={open} />
        </span>
        <span className="flex items-center gap-1 max-sm:mt-1.5">{sheetControls}</span>
        <IconButton
          icon={isMaximised ? "collapse" : "expand"}
          label={isMaximised ? "Show the conversation again" : "Give the evidence the whole width"}
          className="max-md:hidden"
          onClick={onToggleMaximise}
        />
      </div>
      {timeline.tokens.length > 0 && (
        <div className="min-w-0 shrink-0 border-b border-line px-3 py-2 max-md:py-1">
          <TokenHead timeline={timeline} token={token} />
        </div>
      )}
      {views.map((view) => (
        <Tabs.Content
          key={view.id}
          value={view.id}
          tabIndex={-1}
          className="flex min-h-0 flex-1 flex-col data-[state=inactive]:hidden"
        >
          <ErrorBoundary>
            <Suspense fallback={<p className="p-4 text-muted">Opening {view.title}…</p>}>
              {view.follows === "token" ? <view.Component timeline={timeline} /> : <LiveView view={view} />}
            </Suspense>
          </ErrorBoundary>
        </Tabs.Content>
      ))}
    </Tabs.Root>
  );
}

function LiveView({ view }: { readonly view: ViewDefinition }) {
  const timeline = useChat((chat) => chat.timeline);
  return <view.Component timeline={timeline} />;
}
