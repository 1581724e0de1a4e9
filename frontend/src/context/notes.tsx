/**
 * The notes of the conversation that is shown. What is written is seen at once and saved behind it,
 * one request of a branch at a time; each lays the changes over what the server holds just then. While
 * a reply is being written nothing is saved: only its end tells which branch the notes belong to.
 */
import { useQueryClient } from "@tanstack/react-query";
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
import { changeConversation, fetchConversation } from "@/api/conversations";
import { ApiError, asApiError } from "@/api/errors";
import { type Note, type NoteChange, type NotePlace, sortedNotes } from "@/lib/notes";
import { useChatState } from "./chat";
import type { ChatState } from "./chatState";
import { rememberNotes, useConversationFacts } from "./library";
import {
  NO_NOTES,
  type Writing,
  listToSave,
  notesOfBranch,
  notesReducer,
  notesWhileWriting,
  unsavedBranches,
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
  readonly setDraft: (draft: NoteDraft | null) => void;
  readonly hasList: boolean;
  readonly showList: (isShown: boolean) => void;
}

const NotesContext = createContext<Notes | null>(null);

export function NotesProvider({ children }: { readonly children: ReactNode }) {
  const chat = useChatState();
  const facts = useConversationFacts(chat);
  const [state, dispatch] = useReducer(notesReducer, NO_NOTES);
  const [draft, setDraft] = useState<NoteDraft | null>(null);
  const [hasList, showList] = useState(false);
  const [removal, setRemoval] = useState<{ readonly note: Note; readonly branchId: string | null } | null>(
    null,
  );
  const writing = useMemo(() => writingOf(chat), [chat]);
  const branchId = writing === null ? chat.timeline.conversationId : null;

  useEffect(() => {
    if (facts !== null) dispatch({ type: "heard", branchId: facts.id, notes: facts.notes });
  }, [facts]);
  useSettling(chat, dispatch);
  useSaving(state, dispatch);

  const notes = useMemo(
    () =>
      sortedNotes(
        writing !== null
          ? notesWhileWriting(state, writing)
          : branchId === null
            ? []
            : notesOfBranch(state, branchId),
      ),
    [state, writing, branchId],
  );
  const isWriting = writing !== null;
  const change = useCallback(
    (made: NoteChange) => {
      if (isWriting || branchId !== null) dispatch({ type: "changed", branchId, change: made });
    },
    [isWriting, branchId],
  );
  const retry = useCallback(() => dispatch({ type: "retried" }), []);
  const remove = useCallback(
    (note: Note) => {
      change({ before: note, after: null });
      setRemoval({ note, branchId });
    },
    [change, branchId],
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
      isDeferred: state.changes.some((unsaved) => unsaved.branchId === null),
      failure: Object.values(state.failures)[0] ?? null,
      retry,
      change,
      remove,
      removed,
      bringBack,
      forgetRemoved,
      draft,
      setDraft,
      hasList,
      showList,
    }),
    [notes, state, retry, change, remove, removed, bringBack, forgetRemoved, draft, hasList],
  );
  return <NotesContext value={value}>{children}</NotesContext>;
}

export function useNotes(): Notes {
  const value = use(NotesContext);
  if (value === null) throw new Error("useNotes needs a NotesProvider above it");
  return value;
}

type Dispatch = (action: Parameters<typeof notesReducer>[1]) => void;

/** The reply that is being written, or that failed and is still shown. */
const unsettledTurn = ({ pending, failure }: ChatState): ChatState["pending"] =>
  pending ?? failure?.pending ?? null;

function writingOf(chat: ChatState): Writing | null {
  const turn = unsettledTurn(chat);
  if (turn === null) return null;
  const { before, submission } = turn;
  return { parentId: before.conversationId, fromIndex: submission.fromIndex ?? before.tokens.length };
}

/** When a reply has come to its end, what was written during it belongs to the branch that came of it. */
function useSettling(chat: ChatState, dispatch: Dispatch): void {
  const { timeline, failure } = chat;
  const turn = unsettledTurn(chat);
  const seen = useRef<{
    readonly turn: NonNullable<typeof turn>;
    readonly writing: Writing;
    /** The branch that the server began; null before it did, and once the reply failed. */
    readonly branchId: string | null;
  } | null>(null);
  // Before the page is drawn: for one frame the notes would be gone.
  useLayoutEffect(() => {
    const was = seen.current;
    if (was !== null && was.turn !== turn) {
      const hasEnded = turn === null && timeline.status === "settled" && timeline !== was.turn.before;
      // Where the page has left it for another conversation, the server keeps what was written.
      const became = timeline === was.turn.before ? null : hasEnded ? timeline.conversationId : was.branchId;
      dispatch({
        type: "settled",
        branchId: became ?? was.writing.parentId,
        writing: was.writing,
        nTokens: became === null ? was.writing.fromIndex : Number.POSITIVE_INFINITY,
      });
    }
    const writing = writingOf(chat);
    if (turn === null || writing === null) seen.current = null;
    else {
      const begun = timeline.status === "streaming" ? timeline.conversationId : (was?.branchId ?? null);
      seen.current = { turn, writing, branchId: failure === null && was?.turn === turn ? begun : null };
    }
  }, [chat, turn, timeline, failure, dispatch]);
}

/** What the server answers when it has not yet noticed that a reply was stopped. */
const TOO_EARLY = ["conversation_not_found", "conflict", "invalid_request"];
const ATTEMPTS = 4;
const PAUSE_MS = 500;

function useSaving(state: Parameters<typeof unsavedBranches>[0], dispatch: Dispatch): void {
  const queries = useQueryClient();
  const latest = useRef(state);
  const saving = useRef(new Set<string>());
  const [, setCrash] = useState<never>();
  useEffect(() => {
    latest.current = state;
    const save = async (branchId: string): Promise<void> => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          const held = await fetchConversation(branchId, false, new AbortController().signal);
          const { notes, serials } = listToSave(latest.current, branchId, held.notes);
          await changeConversation(branchId, { notes: [...notes] });
          await rememberNotes(queries, branchId, notes);
          saving.current.delete(branchId);
          dispatch({ type: "saved", branchId, notes, serials });
          return;
        } catch (reason) {
          const isEarly = reason instanceof ApiError && TOO_EARLY.includes(reason.code);
          if (isEarly && attempt < ATTEMPTS) {
            await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
            continue;
          }
          saving.current.delete(branchId);
          dispatch({ type: "failed", branchId, error: asApiError(reason) });
          return;
        }
      }
    };
    for (const branchId of unsavedBranches(state)) {
      if (saving.current.has(branchId)) continue;
      saving.current.add(branchId);
      save(branchId).catch((defect: unknown) => {
        setCrash(() => {
          throw defect; // in render, where the error boundary sees it
        });
      });
    }
  }, [state, dispatch, queries]);

  const hasUnsaved = state.changes.length > 0;
  useEffect(() => {
    if (!hasUnsaved) return undefined;
    const onLeave = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", onLeave);
    return () => window.removeEventListener("beforeunload", onLeave);
  }, [hasUnsaved]);
}
