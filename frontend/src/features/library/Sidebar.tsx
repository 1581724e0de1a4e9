import { useRef, useState } from "react";
import { byDay } from "@/base/days";
import type { ChatMark } from "@/features/chat/chats";
import type { ChatKey } from "@/features/chat/chatState";
import { formatCount } from "@/model/format";
import type { ModelInfo } from "@/types/schemas";
import { Button, IconButton } from "@/ui/Button";
import { FailedNotice } from "@/ui/FailedNotice";
import { Icon } from "@/ui/Icon";
import { UndoNotice } from "@/ui/UndoNotice";
import { ConversationItem } from "./ConversationItem";
import type { ConversationSummary } from "./conversations";
import { isReadableWith } from "./library";
import { twinMarks } from "./twins";
import { UnsentList } from "./UnsentList";
import { type Library, useLibrary } from "./useLibrary";
import { useLibraryActions } from "./useLibraryActions";

export interface SidebarProps {
  /** The branch that is shown; the conversation that it is of is marked. */
  readonly currentId: string | null;
  readonly currentConversationId: string | null;
  readonly model: ModelInfo | null;
  /** Replies that go on or have failed on this page. */
  readonly marks: readonly ChatMark[];
  /** The server does not answer, which is said elsewhere. */
  readonly isOffline: boolean;
  readonly here: () => string;
  readonly onOpen: (id: string) => void;
  /** Shows a conversation that is on this page. */
  readonly onShow: (key: ChatKey) => void;
  readonly onStartNew: () => void;
  readonly onDeleted: (wholeId: string) => void;
}

/** The saved conversations: found, opened, renamed, copied, deleted, and taken in and out as files. */
export default function Sidebar(props: SidebarProps) {
  const { currentId, currentConversationId, model, marks, isOffline, here, onOpen, onShow, onStartNew } =
    props;
  const [query, setQuery] = useState("");
  const picker = useRef<HTMLInputElement>(null);
  const library = useLibrary(query);
  const isCurrent = (conversation: ConversationSummary): boolean =>
    conversation.id === currentId || conversation.conversation_id === currentConversationId;
  const { actions, deleted, failed, dismiss } = useLibraryActions({
    here,
    onOpen,
    onDeleted: props.onDeleted,
  });
  const markOf = ({ conversation_id }: ConversationSummary): ChatMark | undefined =>
    marks.find(({ wholeId }) => wholeId === conversation_id);
  const isForeign = ({ model: needed }: ConversationSummary): boolean =>
    model !== null && !isReadableWith(model, needed);
  const groups = byDay(library.conversations, (each) => new Date(each.updated_at_ms), new Date());
  const twins = twinMarks(library.conversations);
  return (
    <nav aria-label="Conversations" className="flex min-h-0 flex-1 flex-col bg-surface">
      <div className="flex shrink-0 items-center gap-1 px-2 pt-2">
        <Button icon="plus" className="flex-1" onClick={onStartNew}>
          New
        </Button>
        <IconButton
          icon="upload"
          label="Import a conversation from a file"
          onClick={() => picker.current?.click()}
        />
        <input
          ref={picker}
          type="file"
          accept="application/json,.json"
          aria-label="File of a conversation"
          tabIndex={-1}
          className="sr-only"
          onChange={(event) => {
            const file = event.target.files?.[0];
            if (file !== undefined) actions.importFile(file);
            event.target.value = ""; // so that the same file can be chosen again
          }}
        />
      </div>
      <div className="relative shrink-0 p-2">
        <Icon name="search" className="pointer-events-none absolute top-3.5 left-4 text-quiet" />
        <input
          type="search"
          dir="auto"
          aria-label="Search titles, texts and notes"
          placeholder="Search"
          maxLength={200}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
          className="h-control w-full rounded-control border border-line-strong bg-raised pr-2 pl-8 placeholder:text-quiet"
        />
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-2">
        <UnsentList marks={marks.filter(({ wholeId }) => wholeId === null)} onShow={onShow} />
        {groups.map(({ label, items }) => (
          <section key={label} aria-label={label}>
            <h2 className="px-2 pt-2 pb-1 text-label text-muted">{label}</h2>
            <ul>
              {items.map((conversation) => (
                <ConversationItem
                  key={conversation.conversation_id}
                  conversation={conversation}
                  isCurrent={isCurrent(conversation)}
                  isForeign={isForeign(conversation)}
                  twinMark={twins.get(conversation.id) ?? null}
                  progress={markOf(conversation)?.kind ?? (conversation.is_running ? "running" : null)}
                  onOpen={() => {
                    const mark = markOf(conversation);
                    if (mark === undefined) onOpen(conversation.id);
                    else onShow(mark.key);
                  }}
                  actions={actions}
                />
              ))}
            </ul>
          </section>
        ))}
        <ListState library={library} query={query} isOffline={isOffline} />
      </div>
      {(deleted !== null || failed !== null) && (
        <div className="shrink-0 space-y-2 p-2">
          {deleted !== null && (
            <UndoNotice
              text={`Deleted “${deleted.title}”`}
              onUndo={() => actions.undo(deleted)}
              onDismiss={actions.forgetDeleted}
            />
          )}
          {failed !== null && <FailedNotice {...failed} onDismiss={dismiss} />}
        </div>
      )}
    </nav>
  );
}

interface ListStateProps {
  readonly library: Library;
  readonly query: string;
  readonly isOffline: boolean;
}

/** What stands below the list, or in its place. */
function ListState({ library, query, isOffline }: ListStateProps) {
  if (library.error !== null && isOffline) return null;
  if (library.error !== null) {
    return (
      <div role="alert" className="mt-2 rounded-control bg-danger-soft p-3">
        <p className="font-medium text-danger">The conversations cannot be listed.</p>
        <p className="break-words">{library.error.message}</p>
        {library.error.hint !== null && <p className="text-muted">{library.error.hint}</p>}
        <Button icon="redo" className="mt-2" onClick={library.retry}>
          Retry
        </Button>
      </div>
    );
  }
  if (library.status === "loading") return <p className="p-2 text-muted">Loading…</p>;
  if (library.conversations.length === 0) {
    return (
      <p className="p-2 text-muted">
        {query.trim() === ""
          ? "Nothing saved yet. What you send is kept and listed here."
          : `No title, text or note contains “${query.trim()}”.`}
      </p>
    );
  }
  if (library.more !== null) {
    return (
      <Button look="quiet" className="mt-1 w-full" onClick={library.more}>
        Show more of {formatCount(library.total)}
      </Button>
    );
  }
  return null;
}
