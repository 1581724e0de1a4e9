import { Dialog } from "radix-ui";
import type { ReactNode } from "react";
import { Button, IconButton } from "@/ui/Button";

interface SidebarSheetProps {
  readonly onClose: () => void;
  /** A phone's header has no room for these. */
  readonly onShowPalette: () => void;
  readonly onStartTour: () => void;
  readonly children: ReactNode;
}

/** The list of conversations over the page, on a narrow screen. */
export default function SidebarSheet({ onClose, onShowPalette, onStartTour, children }: SidebarSheetProps) {
  const instead = (open: () => void) => (): void => {
    onClose();
    open();
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
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
          {children}
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
}
