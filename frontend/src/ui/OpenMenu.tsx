import clsx from "clsx";
import { DropdownMenu } from "radix-ui";
import { Icon } from "./Icon";
import type { MenuProps } from "./Menu";

/** The menu itself. It is open when it first appears: it was asked for. */
export default function OpenMenu({ trigger, items }: MenuProps) {
  return (
    <DropdownMenu.Root defaultOpen modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="start"
          sideOffset={4}
          collisionPadding={8}
          className="touch-sized z-popover min-w-40 rounded-control border border-line bg-raised p-1 shadow-float"
        >
          {items.map(({ label, icon, isDanger = false, onSelect }) => (
            <DropdownMenu.Item
              key={label}
              onSelect={onSelect}
              className={clsx(
                "flex h-control cursor-default items-center gap-2 rounded-mark px-2 outline-none data-[highlighted]:bg-hover",
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
