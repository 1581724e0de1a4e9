import { Popover as Radix } from "radix-ui";
import { useCallback, useState } from "react";
import { keepFromInputMethod } from "@/base/composing";
import type { PopoverProps } from "./Popover";
import { PopoverContext } from "./popoverContext";

/** The window itself. It is open when it first appears: it was asked for. */
export default function OpenPopover({ trigger, label, align = "start", children }: PopoverProps) {
  const [isOpen, setIsOpen] = useState(true);
  const close = useCallback(() => setIsOpen(false), []);
  return (
    <Radix.Root open={isOpen} onOpenChange={setIsOpen}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          aria-label={label}
          align={align}
          sideOffset={6}
          collisionPadding={8}
          onEscapeKeyDown={keepFromInputMethod}
          className="touch-sized z-popover max-h-(--radix-popover-content-available-height) w-80 max-w-[calc(100vw-1rem)] overflow-y-auto rounded-control border border-line bg-raised p-4 shadow-float"
        >
          <PopoverContext value={close}>{children}</PopoverContext>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
