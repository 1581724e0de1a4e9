import clsx from "clsx";
import { DropdownMenu } from "radix-ui";
import type { ReactElement } from "react";
import { Icon, type IconName } from "./Icon";

export interface MenuItem {
  readonly label: string;
  readonly icon: IconName;
  readonly isDanger?: boolean;
  readonly onSelect: () => void;
}

interface MenuProps {
  /** The button that opens it. */
  readonly trigger: ReactElement;
  readonly items: readonly MenuItem[];
}

/** What can be done with a thing, behind its button. */
export function Menu({ trigger, items }: MenuProps) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="start"
          sideOffset={4}
          collisionPadding={8}
          className="touch-sized z-40 min-w-40 rounded-control border border-line bg-raised p-1 shadow-float"
        >
          {items.map(({ label, icon, isDanger = false, onSelect }) => (
            <DropdownMenu.Item
              key={label}
              onSelect={onSelect}
              className={clsx(
                "flex h-8 cursor-default items-center gap-2 rounded-mark px-2 outline-none data-[highlighted]:bg-hover",
                isDanger ? "text-danger" : "text-ink",
              )}
            >
              <Icon name={icon} className={isDanger ? "" : "text-muted"} />
              {label}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
