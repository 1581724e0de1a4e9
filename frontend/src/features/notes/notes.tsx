/**
 * The notes of the conversation that is shown. What is written is seen at once and saved behind it.
 * While a reply is being written nothing is saved: only its end tells which branch the notes belong to.
 */
import {
  type ReactNode,
  createContext,
  use,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "react";
import { useShallow } from "zustand/react/shallow";
import type { ApiError } from "@/base/errors";
import { useChat, useChats, useChatsNow } from "@/features/chat/chat";
import type { Chats } from "@/features/chat/chats";
import type { ChatKey, ChatState, Pending } from "@/features/chat/chatState";
import { useConversationFacts } from "@/features/library/library";
import { type Note, type NoteChange, type NotePlace, sortedNotes } from "@/model/notes";
import { useNoteSaving } from "./noteSaving";
import {
  NO_NOTES,
  type NotesAction,
  type Writing,
  notesOfBranch,
  notesReducer,
  notesWhileWriting,
} from "./notesState";

/** What is open for writing: a place for a new note, or a note that is there. */
export type NoteDraft = { readonly place: NotePlace } | { readonly note: Note };

export interface Notes {
  /** By position. */
  readonly notes: readonly Note[];
  /** Some of what was written is saved when the reply has ended. */
  readonly isDeferred: boolean;
  /** Why it could not be saved; null while it has not failed. */
  readonly failure: ApiError | null;
  readonly retry: () => void;
  /** Adds a note to the branch that is shown, or changes one of it. */
  readonly change: (change: NoteChange) => void;
  readonly remove: (note: Note) => void;
  /** The note that was deleted last; null where there is nothing to bring back. */
  readonly removed: Note | null;
  readonly bringBack: () => void;
  readonly forgetRemoved: () => void;
  readonly draft: NoteDraft | null;
  /** The page has gone to another conversation meanwhile, of which the draft is none. */
  readonly isDraftElsewhere: boolean;
  readonly setDraft: (draft: NoteDraft | null) => void;
  readonly hasList: boolean;
  readonly showList: (isShown: boolean) => void;
}

const NotesContext = createContext<Notes | null>(null);

export function NotesProvider({ children }: { readonly children: ReactNode }) {
  const facts = useConversationFacts();
  const [state, dispatch] = useReducer(notesReducer, NO_NOTES);
  const [opened, setOpened] = useState<{
    readonly draft: NoteDraft;
    readonly branchId: string | null;
  } | null>(null);
  const [hasList, showList] = useState(false);
  const [removal, setRemoval] = useState<{ readonly note: Note; readonly branchId: string | null } | null>(
    null,
  );
  // The same object from the first token of a reply to its last, so that notes do not change with each.
  const pending = useChat((chat) => chat.pending);
  const writing = useMemo(() => writingOf({ pending }), [pending]);
  const branchId = useChat((chat) => (chat.pending === null ? chat.timeline.conversationId : null));
  const chatKey = useChat((chat) => chat.key);

  useEffect(() => {
    if (facts !== null) dispatch({ type: "heard", branchId: facts.id, notes: facts.notes });
  }, [facts]);
  useSettling(dispatch);
  useNoteSaving(state, dispatch);

  const notes = useMemo(
    () =>
      sortedNotes(
        writing !== null
          ? notesWhileWriting(state, chatKey, writing)
          : branchId === null
            ? []
            : notesOfBranch(state, branchId),
      ),
    [state, chatKey, writing, branchId],
  );
  const owner = writing === null ? branchId : chatKey;
  const change = useCallback(
    (made: NoteChange) => {
      if (owner !== null) dispatch({ type: "changed", owner, change: made });
    },
    [owner],
  );
  const retry = useCallback(() => dispatch({ type: "retried" }), []);
  const remove = useCallback(
    (note: Note) => {
      change({ before: note, after: null });
      setRemoval({ note, branchId });
    },
    [change, branchId],
  );
  const setDraft = useCallback(
    (draft: NoteDraft | null) => setOpened(draft === null ? null : { draft, branchId }),
    [branchId],
  );
  const removed = removal?.branchId === branchId ? removal.note : null;
  const bringBack = useCallback(() => {
    if (removed !== null) change({ before: null, after: removed });
    setRemoval(null);
  }, [change, removed]);
  const forgetRemoved = useCallback(() => setRemoval(null), []);
  const value = useMemo<Notes>(
    () => ({
      notes,
      isDeferred: state.changes.some((unsaved) => typeof unsaved.owner === "number"),
      failure: Object.values(state.failures)[0] ?? null,
      retry,
      change,
      remove,
      removed,
      bringBack,
      forgetRemoved,
      draft: opened?.draft ?? null,
      // A draft of a reply that was being written belongs to the branch that came of it.
      isDraftElsewhere: opened !== null && opened.branchId !== null && opened.branchId !== branchId,
      setDraft,
      hasList,
      showList,
    }),
    [
      notes,
      state,
      retry,
      change,
      remove,
      removed,
      bringBack,
      forgetRemoved,
      opened,
      branchId,
      setDraft,
      hasList,
    ],
  );
  return <NotesContext value={value}>{children}</NotesContext>;
}

export function useNotes(): Notes {
  const value = use(NotesContext);
  if (value === null) throw new Error("useNotes needs a NotesProvider above it");
  return value;
}

const writingOf = ({ pending }: Pick<ChatState, "pending">): Writing | null =>
  pending === null
    ? null
    : {
        parentId: pending.before.conversationId,
        fromIndex: pending.submission.fromIndex ?? pending.before.tokens.length,
      };

/** A reply that goes on, and the branch that the server has begun for it; null before it has. */
interface Unsettled {
  readonly pending: Pending;
  readonly writing: Writing;
  readonly branchId: string | null;
}

function unsettledOf({ pending, timeline }: ChatState): Unsettled | null {
  const writing = writingOf({ pending });
  if (pending === null || writing === null) return null;
  return { pending, writing, branchId: timeline.status === "streaming" ? timeline.conversationId : null };
}

/** When a reply has come to its end, what was written during it belongs to the branch that came of it. */
function useSettling(dispatch: (action: NotesAction) => void): void {
  const chatsNow = useChatsNow();
  const changes = useChats(useShallow(repliesUnderWay));
  const seen = useRef<ReadonlyMap<ChatKey, Unsettled>>(new Map());
  // Before the page is drawn: for one frame the notes would be gone.
  useLayoutEffect(() => {
    const { all } = chatsNow();
    for (const [key, was] of seen.current) {
      const chat = all.get(key);
      if (chat?.pending === was.pending) continue;
      // One that is no longer on the page was left to the server.
      const hasBegun = chat === undefined ? was.branchId !== null : chat.timeline !== was.pending.before;
      const became = hasBegun ? (chat?.timeline.conversationId ?? was.branchId) : null;
      dispatch({
        type: "settled",
        key,
        branchId: became ?? was.writing.parentId,
        writing: was.writing,
        nTokens: became === null ? was.writing.fromIndex : Number.POSITIVE_INFINITY,
      });
    }
    seen.current = new Map(
      [...all.values()].flatMap((chat): [ChatKey, Unsettled][] => {
        const unsettled = unsettledOf(chat);
        return unsettled === null ? [] : [[chat.key, unsettled]];
      }),
    );
  }, [changes, chatsNow, dispatch]);
}

/** Another list when a reply begins, gets its branch, or ends. */
const repliesUnderWay = ({ all }: Chats): readonly (Pending | string | null)[] =>
  [...all.values()].flatMap(({ pending, timeline }) =>
    pending === null ? [] : [pending, timeline.status === "streaming" ? timeline.conversationId : null],
  );
