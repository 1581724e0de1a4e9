import clsx from "clsx";
import { type ReactNode, Suspense } from "react";
import { useChat } from "@/features/chat/chat";
import { ExportButton } from "@/features/export/ExportButton";
import { TokenNotes } from "@/features/notes/TokenNotes";
import { useSelection } from "@/features/selection/selection";
import { useServer } from "@/features/server/server";
import { IconButton } from "@/ui/Button";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { useIsNarrow, useIsPhone } from "@/ui/media";
import { FindingEnd } from "./findingEnd";
import { HalfLayersToggle } from "./HalfLayersToggle";
import { LensSelect } from "./LensSelect";
import { MoreButton } from "./MoreButton";
import { useTokenTimeline } from "./shownTimeline";
import { TokenHead } from "./TokenHead";
import { useFolding } from "./useFolding";
import { type ViewDefinition, type ViewGroup, panelId, tabId } from "./view";
import { ViewNoteButton } from "./ViewNoteButton";
import { ViewGroups, ViewTabs } from "./ViewTabs";

/**
 * The groups, the tabs and what is chosen for them stand in one line where it has room for all, whichever lens is chosen.
 * In a narrower panel the tabs have the second of two, in all views alike, so that none moves what is below.
 */
const SECOND_LINE = {
  before:
    "tighter:pt-1 tighter:[&>[role=group]]:border-r-0 tighter:after:order-1 tighter:after:basis-full tighter:after:content-['']",
  its: "tighter:order-2",
};

interface EvidencePanelProps {
  readonly views: readonly ViewDefinition[];
  readonly viewId: string;
  /** It is not known yet whether the answered example is shown. */
  readonly isOpeningAwaited: boolean;
  /** Controls of the sheet that holds the panel on a narrow screen. */
  readonly sheetControls: ReactNode;
  readonly isMaximised: boolean;
  readonly onChangeView: (viewId: string) => void;
  readonly onOpenGroup: (group: ViewGroup) => void;
  readonly onToggleMaximise: () => void;
  /** The chip that sets with what is compared. */
  readonly pair?: ReactNode;
  /** A note that is being written. */
  readonly noteEditor?: ReactNode;
}

/** The selected token above, the evidence for it below. It follows the selection, never the stream. */
export function EvidencePanel(props: EvidencePanelProps) {
  const { views, viewId, isOpeningAwaited, sheetControls, isMaximised } = props;
  const { onChangeView, onOpenGroup, onToggleMaximise } = props;
  const { index } = useSelection();
  const timeline = useTokenTimeline(index);
  const isNarrow = useIsNarrow();
  const isPhone = useIsPhone();
  const token = index === null ? undefined : timeline.tokens[index];
  const open = views.find((view) => view.id === viewId);
  const { isFolded, listeners } = useFolding(`${viewId} ${index ?? ""}`);
  // A finger scrolls what is shown into the room of the bars; the keyboard brings them back.
  const folded =
    isNarrow && isFolded && "not-has-focus-visible:h-0 not-has-focus-visible:overflow-hidden border-b-0";
  const groups = <ViewGroups views={views} viewId={viewId} onOpenGroup={onOpenGroup} isFoot={isPhone} />;
  return (
    <div className="group/evidence @container flex min-h-0 min-w-0 flex-1 flex-col bg-raised">
      <div
        className={clsx(
          "flex shrink-0 items-center gap-x-2 border-b border-line px-3 py-1 max-md:gap-x-1 max-md:py-0 max-md:pr-1",
          folded,
        )}
      >
        <TokenHead timeline={timeline} token={token} pair={isPhone ? null : props.pair} />
        {isNarrow ? (
          <span data-tour="export">
            <MoreButton view={open}>{isPhone && props.pair}</MoreButton>
          </span>
        ) : (
          <ExportButton view={open} />
        )}
        {sheetControls}
        <IconButton
          icon={isMaximised ? "collapse" : "expand"}
          label={isMaximised ? "Restore the split view" : "Maximise the evidence"}
          className="max-md:hidden"
          onClick={onToggleMaximise}
        />
      </div>
      {token !== undefined && <TokenNotes token={token} tokens={timeline.tokens} />}
      {props.noteEditor}
      <div
        className={clsx(
          "flex shrink-0 flex-wrap items-center gap-x-1 border-b border-line px-3 max-md:px-1",
          !isNarrow && SECOND_LINE.before,
          folded,
        )}
      >
        {!isPhone && groups}
        <ViewTabs
          views={views}
          viewId={viewId}
          onChangeView={onChangeView}
          className={isNarrow ? undefined : SECOND_LINE.its}
        />
        {!isNarrow && (
          // No box of its own: the controls that come with the model move none of those beside them.
          <span className="contents">
            {open !== undefined && (
              <span className={clsx("group-has-data-[part=finding]/evidence:hidden", SECOND_LINE.its)}>
                <ViewNoteButton view={open} />
              </span>
            )}
            <span className="flex-1" />
            {open?.group === "read" && (
              <>
                <HalfLayersToggle />
                <LensSelect />
              </>
            )}
          </span>
        )}
      </div>
      {open !== undefined && (
        <div
          key={open.id}
          role="tabpanel"
          id={panelId(open.id)}
          aria-labelledby={tabId(open.id)}
          tabIndex={-1}
          className={clsx("flex min-h-0 flex-1 flex-col", isOpeningAwaited && "shown-late")}
          {...listeners}
        >
          <ErrorBoundary>
            <Suspense fallback={<p className="p-4 text-muted">Opening {open.title}…</p>}>
              <Served view={open}>
                {/* Beside the finding, or in the line of the tabs where the view has none. */}
                <FindingEnd value={<ViewNoteButton view={open} />}>
                  {open.follows === "token" ? (
                    <open.Component timeline={timeline} />
                  ) : (
                    <LiveView view={open} />
                  )}
                </FindingEnd>
              </Served>
            </Suspense>
          </ErrorBoundary>
        </div>
      )}
      {isPhone && groups}
    </div>
  );
}

function LiveView({ view }: { readonly view: ViewDefinition }) {
  const timeline = useChat((chat) => chat.timeline);
  return <view.Component timeline={timeline} />;
}

/** Says why in place of a view that the model cannot serve. */
function Served({ view, children }: { readonly view: ViewDefinition; readonly children: ReactNode }) {
  const { model } = useServer();
  const reason = model === null ? null : view.needs(model);
  return reason === null ? children : <p className="m-auto max-w-prose p-6 text-muted">{reason}</p>;
}
