import clsx from "clsx";
import { useEffect, useRef, useState } from "react";
import {
  type Branch,
  type SavedConversation,
  changeConversation,
  deleteBranch,
  restoreBranch,
} from "@/features/library/conversations";
import { useLibraryRefresh } from "@/features/library/library";
import { useAttempts } from "@/ui/attempt";
import { IconButton } from "@/ui/Button";
import { FailedNotice } from "@/ui/FailedNotice";
import { Icon } from "@/ui/Icon";
import { Menu } from "@/ui/Menu";
import { NameField } from "@/ui/NameField";
import { UndoNotice } from "@/ui/UndoNotice";

interface BranchBarProps {
  readonly facts: SavedConversation;
  readonly currentId: string | null;
  /** A reply is being written, on one of these branches or from it. */
  readonly isBusy: boolean;
  readonly state: BranchBarState;
  readonly onSwitch: (id: string) => void;
  readonly onChange: (change: Partial<BranchBarState>) => void;
}

/** Kept outside of the bar, which goes while another branch is being opened. */
export interface BranchBarState {
  readonly isOpen: boolean;
  /** What can be brought back, and the conversation that it is of. */
  readonly deleted: { readonly branch: Branch; readonly conversationId: string } | null;
}

/** The branches of the conversation: which one is shown, and the way to the others. */
export default function BranchBar(props: BranchBarProps) {
  const { facts, currentId, isBusy, state, onSwitch, onChange } = props;
  const { isOpen } = state;
  const deleted = state.deleted?.conversationId === facts.conversation_id ? state.deleted.branch : null;
  const [renamed, setRenamed] = useState<string | null>(null);
  const { failed, attempt, dismiss } = useAttempts();
  const refresh = useLibraryRefresh();
  const { branches } = facts;
  const place = branches.findIndex((branch) => branch.id === currentId);
  // What is shown when an answer comes; null once the person has gone on to another conversation.
  const shownNow = useRef<string | null>(null);
  useEffect(() => {
    shownNow.current = currentId;
    return () => {
      shownNow.current = null;
    };
  }, [currentId]);

  const onRename = (branch: Branch, name: string | null): void => {
    setRenamed(null);
    if (name === null || name.trim() === (branch.name ?? "")) return;
    attempt("Could not rename the branch.", async () => {
      await changeConversation(branch.id, { branch_name: name });
      await refresh();
    });
  };
  const onDelete = (branch: Branch): void =>
    attempt("Could not delete the branch.", async () => {
      await deleteBranch(branch.id);
      onChange({ deleted: { branch, conversationId: facts.conversation_id } });
      const other =
        branches.find((each) => each.id === branch.parent_id) ??
        branches.find((each) => each.id !== branch.id);
      const isShown = branch.id === shownNow.current && other !== undefined;
      if (isShown) onSwitch(other.id);
      await refresh(isShown ? "gone" : undefined);
    });
  const onUndo = (branch: Branch): void =>
    attempt("Could not restore the branch.", async () => {
      const asked = currentId;
      await restoreBranch(branch.id);
      onChange({ deleted: null });
      if (shownNow.current === asked) onSwitch(branch.id);
      await refresh();
    });

  if (branches.length < 2 && deleted === null && failed === null) return null;
  return (
    <section aria-label="Branches" className="shrink-0 border-b border-line">
      <div className="flex items-center gap-1 px-1 md:px-2">
        <IconButton
          icon="left"
          label="Previous branch"
          disabled={place <= 0}
          onClick={() => onSwitch(branches[place - 1]?.id ?? "")}
        />
        <IconButton
          icon="right"
          label="Next branch"
          disabled={place < 0 || place >= branches.length - 1}
          onClick={() => onSwitch(branches[place + 1]?.id ?? "")}
        />
        <button
          type="button"
          aria-expanded={isOpen}
          onClick={() => onChange({ isOpen: !isOpen })}
          className="flex h-8 min-w-0 flex-1 items-center gap-2 rounded-control px-2 text-left text-muted hover:text-ink"
        >
          <Icon name="branch" />
          <span className="truncate">
            Branch {place < 0 ? "…" : place + 1} of {branches.length}
            {branches[place] !== undefined && <> · {branchTitle(branches[place])}</>}
          </span>
          <Icon name={isOpen ? "up" : "down"} className="ml-auto" />
        </button>
      </div>
      {isOpen && (
        <ul className="max-h-52 overflow-y-auto px-2 pb-2">
          {branches.map((branch, i) => (
            <li
              key={branch.id}
              className={clsx(
                "flex items-center gap-1 rounded-control",
                branch.id === currentId ? "bg-accent-soft" : "hover:bg-hover",
              )}
            >
              {renamed === branch.id ? (
                <NameField
                  label={`Name of branch ${i + 1}`}
                  value={branch.name ?? ""}
                  placeholder="No name"
                  onDone={(name) => onRename(branch, name)}
                />
              ) : (
                <>
                  <button
                    type="button"
                    aria-current={branch.id === currentId ? "true" : undefined}
                    onClick={() => onSwitch(branch.id)}
                    className="flex min-h-8 min-w-0 flex-1 items-baseline gap-2 rounded-control px-2 py-1 text-left disabled:cursor-not-allowed"
                  >
                    <span className="w-5 shrink-0 text-right font-mono text-label text-muted">{i + 1}</span>
                    <span className="min-w-0 flex-1 truncate">{branchTitle(branch)}</span>
                    {branch.is_steered && (
                      <span className="shrink-0 rounded-mark bg-warn-soft px-1 text-label">steered</span>
                    )}
                    <span className="shrink-0 font-mono text-label text-muted">
                      {branch.from_index === null ? "start" : `from ${branch.from_index}`}
                    </span>
                  </button>
                  <Menu
                    trigger={<IconButton icon="more" label={`More for branch ${i + 1}`} className="size-7" />}
                    items={[
                      { label: "Name", icon: "edit", onSelect: () => setRenamed(branch.id) },
                      ...(isBusy || branches.length < 2
                        ? []
                        : [
                            {
                              label: "Delete",
                              icon: "trash" as const,
                              isDanger: true,
                              onSelect: () => onDelete(branch),
                            },
                          ]),
                    ]}
                  />
                </>
              )}
            </li>
          ))}
        </ul>
      )}
      {(deleted !== null || failed !== null) && (
        <div className="space-y-2 p-2">
          {deleted !== null && (
            <UndoNotice
              text={`Deleted the branch “${branchTitle(deleted)}”`}
              onUndo={() => onUndo(deleted)}
              onDismiss={() => onChange({ deleted: null })}
            />
          )}
          {failed !== null && <FailedNotice {...failed} onDismiss={dismiss} />}
        </div>
      )}
    </section>
  );
}

const branchTitle = (branch: Branch): string => branch.name ?? (branch.preview.trim() || "(no text)");
