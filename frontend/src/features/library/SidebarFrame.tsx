import { Suspense, memo } from "react";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { useIsNarrow } from "@/ui/media";
import type { SidebarProps } from "./Sidebar";

const Sidebar = lazyPart(() => import("./Sidebar"));
const SidebarSheet = lazyPart(() => import("./SidebarSheet"));

interface SidebarFrameProps extends SidebarProps {
  readonly isOpen: boolean;
  readonly isSheetOpen: boolean;
  readonly onCloseSheet: () => void;
  /** A phone's header has no room for these. */
  readonly onShowPalette: () => void;
  readonly onStartTour: () => void;
}

/** Where the list of conversations is: a column at the left, or on a narrow screen a sheet over the page. */
export const SidebarFrame = memo(function SidebarFrame(props: SidebarFrameProps) {
  const { isOpen, isSheetOpen, onCloseSheet, onShowPalette, onStartTour, ...sidebar } = props;
  const isNarrow = useIsNarrow();
  const list = (
    <ErrorBoundary>
      <Suspense fallback={<p className="p-4 text-muted">Opening the conversations…</p>}>
        <Sidebar {...sidebar} />
      </Suspense>
    </ErrorBoundary>
  );
  if (!isNarrow) {
    return isOpen ? <div className="flex w-60 shrink-0 flex-col border-r border-line">{list}</div> : null;
  }
  if (!isSheetOpen) return null;
  return (
    <ErrorBoundary onClose={onCloseSheet}>
      <Suspense fallback={null}>
        <SidebarSheet onClose={onCloseSheet} onShowPalette={onShowPalette} onStartTour={onStartTour}>
          {list}
        </SidebarSheet>
      </Suspense>
    </ErrorBoundary>
  );
});
