import clsx from "clsx";
import { useId, useState } from "react";
import { dateAndTime } from "@/base/days";
import { IconButton } from "@/ui/Button";
import { Icon } from "@/ui/Icon";
import { Menu } from "@/ui/Menu";
import { NameField } from "@/ui/NameField";
import type { ConversationSummary } from "./conversations";
import { type Progress, ProgressMark } from "./ProgressMark";
import type { LibraryActions } from "./useLibraryActions";

interface ConversationItemProps {
  readonly conversation: ConversationSummary;
  readonly isCurrent: boolean;
  /** The conversation needs another model than the one that runs. */
  readonly isForeign: boolean;
  /** What tells it from one whose title looks the same; null where there is none. */
  readonly twinMark: string | null;
  /** A reply that is being generated, or that failed while another conversation was shown. */
  readonly progress: Progress | null;
  readonly onOpen: () => void;
  readonly actions: LibraryActions;
}

/** One conversation of the list: opened by a click, everything else in its menu. */
export function ConversationItem(props: ConversationItemProps) {
  const { conversation, isCurrent, isForeign, twinMark, progress, onOpen, actions } = props;
  const markId = useId();
  const describedBy = twinMark === null ? undefined : markId;
  const { title, model, n_branches } = conversation;
  const [isRenaming, setRenaming] = useState(false);
  if (isRenaming) {
    return (
      <li className="px-1 py-0.5">
        <NameField
          label={`Title of ${title}`}
          value={title}
          onDone={(name) => {
            setRenaming(false);
            if (name !== null && name.trim() !== "" && name !== title) actions.rename(conversation, name);
          }}
        />
      </li>
    );
  }
  return (
    <li
      className={clsx(
        "group flex items-center rounded-control",
        isCurrent ? "bg-accent-soft" : "hover:bg-hover",
      )}
    >
      <button
        type="button"
        aria-current={isCurrent ? "page" : undefined}
        aria-describedby={describedBy}
        title={`${title}\n${dateAndTime(new Date(conversation.updated_at_ms))}`}
        onClick={onOpen}
        className="min-w-0 flex-1 rounded-control py-1.5 pl-2 text-left"
      >
        <span className={clsx("block truncate", isCurrent && "font-medium")}>{title}</span>
        {(isForeign || n_branches > 1 || twinMark !== null || progress !== null) && (
          <span className="flex min-w-0 items-center gap-2 text-cell text-muted">
            {progress !== null && <ProgressMark progress={progress} />}
            {twinMark !== null && (
              // The title stays the name; this describes it.
              <span id={markId} aria-hidden="true" className="shrink-0">
                {twinMark}
              </span>
            )}
            {isForeign && (
              <span className="truncate" title={`Held with ${model.name}, which is not the model that runs`}>
                {model.name}
              </span>
            )}
            {n_branches > 1 && (
              <span className="flex shrink-0 items-center gap-0.5">
                <Icon name="branch" className="size-3" />
                {n_branches} branches
              </span>
            )}
          </span>
        )}
      </button>
      <Menu
        trigger={
          <IconButton
            icon="more"
            label={`More for ${title}`}
            aria-describedby={describedBy}
            className={clsx(
              "focus-visible:opacity-100 data-[state=open]:opacity-100 pointer-coarse:opacity-100",
              isCurrent ? "" : "opacity-0 group-hover:opacity-100",
            )}
          />
        }
        items={[
          { label: "Rename", icon: "edit", onSelect: () => setRenaming(true) },
          { label: "Duplicate", icon: "copy", onSelect: () => actions.duplicate(conversation) },
          { label: "Export", icon: "download", onSelect: () => actions.exportFile(conversation) },
          { label: "Delete", icon: "trash", isDanger: true, onSelect: () => actions.remove(conversation) },
        ]}
      />
    </li>
  );
}
