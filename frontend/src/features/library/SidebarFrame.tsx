import { Dialog } from "radix-ui";
import { Suspense, memo } from "react";
import { Button, IconButton } from "@/ui/Button";
import { ErrorBoundary } from "@/ui/ErrorBoundary";
import { lazyPart } from "@/ui/lazyPart";
import { useIsNarrow } from "@/ui/media";
import type { SidebarProps } from "./Sidebar";

const Sidebar = lazyPart(() => import("./Sidebar"));

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
  const instead = (open: () => void) => (): void => {
    onCloseSheet();
    open();
  };
  return (
    <Dialog.Root open={isSheetOpen} onOpenChange={(open) => !open && onCloseSheet()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-dialog bg-overlay" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-dialog flex w-[20rem] max-w-[88vw] flex-col border-r border-line bg-surface shadow-float"
        >
          <div className="flex h-12 shrink-0 items-center justify-between border-b border-line pr-2 pl-4">
            <Dialog.Title className="text-title font-semibold">Conversations</Dialog.Title>
            <Dialog.Close asChild>
              <IconButton icon="close" label="Close" />
            </Dialog.Close>
          </div>
          {list}
          <div className="flex shrink-0 gap-2 border-t border-line p-2">
            <Button icon="search" className="flex-1" onClick={instead(onShowPalette)}>
              Commands
            </Button>
            <Button className="flex-1" onClick={instead(onStartTour)}>
              Take the tour
            </Button>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
});
