import { DropdownMenu } from "radix-ui";
import { useId } from "react";
import { useChat } from "@/features/chat/chat";
import { Button } from "@/ui/Button";
import type { ExportSource } from "./viewExport";
import { EXPORTS, copyLink, useExporter } from "./exporting";

interface ExportMenuProps {
  readonly view: ExportSource["view"] | undefined;
}

const GROUPS = ["Picture", "Numbers", "Code"] as const;

/** What can be taken away of the open view. It is open when it first appears: it was asked for. */
export default function ExportMenu({ view }: ExportMenuProps) {
  const timeline = useChat((chat) => chat.timeline);
  const { reason, start } = useExporter(timeline, view);
  const reasonId = useId();
  return (
    <DropdownMenu.Root defaultOpen modal={false}>
      <DropdownMenu.Trigger asChild>
        <Button look="quiet" icon="download" className="px-2 data-[state=open]:bg-hover">
          <span className="@max-3xl:sr-only">Export</span>
        </Button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={6}
          aria-describedby={reason === null ? undefined : reasonId}
          collisionPadding={8}
          className="touch-sized z-popover max-h-(--radix-dropdown-menu-content-available-height) w-72 overflow-y-auto rounded-control border border-line bg-raised p-1 shadow-float"
        >
          {reason !== null && (
            <p id={reasonId} className="px-2 py-1.5 text-muted">
              {reason}
            </p>
          )}
          {GROUPS.map((group, i) => (
            <DropdownMenu.Group key={group} aria-label={group}>
              {i > 0 && <DropdownMenu.Separator className="my-1 h-px bg-line" />}
              <DropdownMenu.Label className="px-2 pt-1 text-cell text-quiet">{group}</DropdownMenu.Label>
              {EXPORTS.filter((each) => each.group === group).map(({ format, label, hint }) => (
                <MenuItem
                  key={format}
                  label={label}
                  hint={hint}
                  isDisabled={reason !== null}
                  onSelect={() => start(format)}
                />
              ))}
            </DropdownMenu.Group>
          ))}
          <DropdownMenu.Separator className="my-1 h-px bg-line" />
          <MenuItem
            label="Copy link"
            hint="to this view of this place"
            isDisabled={timeline.conversationId === null}
            onSelect={() => void copyLink()}
          />
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

interface MenuItemProps {
  readonly label: string;
  readonly hint: string;
  readonly isDisabled: boolean;
  readonly onSelect: () => void;
}

function MenuItem({ label, hint, isDisabled, onSelect }: MenuItemProps) {
  return (
    <DropdownMenu.Item
      disabled={isDisabled}
      onSelect={onSelect}
      className="flex min-h-control cursor-pointer items-baseline justify-between gap-3 rounded-mark px-2 py-1.5 outline-none data-disabled:cursor-not-allowed data-disabled:text-quiet data-highlighted:bg-hover"
    >
      <span className="whitespace-nowrap">{label}</span>
      <span className="text-right text-label text-muted">{hint}</span>
    </DropdownMenu.Item>
  );
}
