import { type KeyboardEvent, type ReactNode, type RefObject, useEffect } from "react";
import { isOfInputMethod } from "@/base/composing";
import { IconButton } from "./Button";

interface InlineDialogProps {
  readonly title: string;
  readonly onClose: () => void;
  /** Takes the focus when it opens. */
  readonly initialFocus: RefObject<HTMLElement | null>;
  readonly children: ReactNode;
}

/** A dialog that takes its place within the page, so that nothing is covered; Escape closes it. */
export function InlineDialog({ title, onClose, initialFocus, children }: InlineDialogProps) {
  useEffect(() => {
    const before = document.activeElement;
    initialFocus.current?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, [initialFocus]);
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || isOfInputMethod(event.nativeEvent)) return;
    event.preventDefault();
    onClose();
  };
  return (
    // Escape closes it from any of its controls.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      role="dialog"
      aria-label={title}
      onKeyDown={onKeyDown}
      className="max-h-[50%] shrink-0 overflow-y-auto border-b border-line bg-surface px-3 pt-1 pb-2"
    >
      <div className="flex items-center justify-between">
        <h2 className="font-medium">{title}</h2>
        <IconButton icon="close" label="Close" onClick={onClose} />
      </div>
      {children}
    </div>
  );
}
