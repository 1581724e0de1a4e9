import clsx from "clsx";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode, RefObject } from "react";
import { keepFromInputMethod } from "@/base/composing";
import { IconButton } from "./Button";

interface DialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  /** Called when the focus is about to go back to where it was; it may keep that from happening. */
  readonly onClosed?: (event: Event) => void;
  /** Takes the focus when it opens, in place of the first control. */
  readonly initialFocus?: RefObject<HTMLElement | null>;
  readonly width?: "narrow" | "wide";
  readonly children: ReactNode;
}

export function Dialog({
  title,
  isOpen,
  onClose,
  onClosed,
  initialFocus,
  width = "narrow",
  children,
}: DialogProps) {
  return (
    <Radix.Root open={isOpen} onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-dialog bg-overlay" />
        <Radix.Content
          aria-describedby={undefined}
          onCloseAutoFocus={onClosed}
          onEscapeKeyDown={keepFromInputMethod}
          onOpenAutoFocus={(event) => {
            if (initialFocus === undefined) return;
            event.preventDefault();
            initialFocus.current?.focus();
          }}
          className={clsx(
            width === "wide" ? "w-[62rem]" : "w-[28rem]",
            "fixed top-1/2 left-1/2 z-dialog max-h-[85dvh] max-w-[calc(100vw-1rem)] -translate-x-1/2 -translate-y-1/2 overflow-y-auto rounded-control border border-line bg-raised p-4 shadow-float",
          )}
        >
          <div className="mb-3 flex items-center justify-between">
            <Radix.Title className="text-title font-semibold">{title}</Radix.Title>
            <Radix.Close asChild>
              <IconButton icon="close" label="Close" />
            </Radix.Close>
          </div>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
