/**
 * The conversations on the page, in a store: a component selects what it shows of them and renders when
 * that changes. The actions never change.
 */
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, createContext, use, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import { asApiError } from "@/base/errors";
import { openWhenReady, readWhenStored } from "@/features/library/conversations";
import { pinsWritten } from "@/features/pins/pinWrites";
import { useServer } from "@/features/server/server";
import { type Settings, useSettings } from "@/features/settings/settings";
import { identityOf } from "@/model/identity";
import type { Intervention, ModelIdentity } from "@/model/timeline";
import type { OpeningExample } from "@/types/schemas";
import { chatRequest } from "./chatRequest";
import {
  type ChatMark,
  type Chats,
  type ChatsAction,
  chatMarks,
  chatsReducer,
  initialChats,
  readableWith,
  shownChat,
} from "./chats";
import {
  type ChatKey,
  type ChatState,
  EMPTY_TIMELINE,
  type Mode,
  type Submission,
  isKept,
} from "./chatState";
import { keepShipped } from "./keeping";
import { type ChatRequest, streamChat } from "./stream";

export interface ChatActions {
  /** Sends a message (in completion mode, more text) at the end of the conversation. */
  readonly send: (text: string) => void;
  /** Begins a new conversation with this text, with some settings other than the chosen ones. */
  readonly begin: (mode: Mode, text: string, changes: Partial<Settings>) => void;
  /** Replaces the turn that begins at `fromIndex` and what follows it. */
  readonly edit: (fromIndex: number, text: string) => void;
  /** Writes the reply that begins at `fromIndex` again. */
  readonly regenerate: (fromIndex: number) => void;
  /** Writes on from before `fromIndex`, beginning with these tokens; a branch of the conversation. */
  readonly branch: (fromIndex: number, forced: readonly number[]) => void;
  /** Writes the reply that begins at `fromIndex` again under interventions, none for the plain model; a branch. */
  readonly steer: (
    fromIndex: number,
    interventions: readonly Intervention[],
    sampling: Pick<Submission, "seed" | "temperature">,
  ) => void;
  /** Lets the model write on from the end of the timeline. */
  readonly writeOn: (end: number) => void;
  /** Does again what failed before anything came of it. */
  readonly retry: (submission: Submission) => void;
  /** Ends the reply of the conversation that is shown; what was written stays. */
  readonly stop: () => void;
  /** Puts a failure away. */
  readonly dismiss: () => void;
  readonly startNew: (mode: Mode) => void;
  /** Shows an example that the server does not hold. */
  readonly unpack: (shipped: OpeningExample) => void;
  /** Saves the shipped example that is shown, before something that only a saved conversation has. */
  readonly keep: () => void;
  /** Shows a saved conversation, or another branch of the one that is shown. */
  readonly reopen: (branchId: string) => void;
  /** Shows a conversation whose reply goes on, or has failed, on this page. */
  readonly show: (key: ChatKey) => void;
  /** A conversation was deleted: its replies end, and where it is shown, a new one takes its place. */
  readonly forget: (wholeId: string) => void;
}

interface ChatsValue {
  readonly store: ChatStore;
  /** The conversation that is shown, without tokens that another model than the running one computed. */
  readonly readable: (chats: Chats) => ChatState;
}

const ChatsContext = createContext<ChatsValue | null>(null);
const ActionsContext = createContext<ChatActions | null>(null);

function createChatStore() {
  const store = createStore<Chats>()(() => initialChats("chat"));
  return {
    ...store,
    dispatch: (action: ChatsAction) => store.setState((chats) => chatsReducer(chats, action), true),
  };
}

type ChatStore = ReturnType<typeof createChatStore>;

/** `readableWith` for one model: the same object for the same conversation. */
function readableBy(running: ModelIdentity | null): ChatsValue["readable"] {
  let last: { readonly raw: ChatState; readonly shown: ChatState } | null = null;
  return (chats) => {
    const raw = shownChat(chats);
    if (last?.raw !== raw) last = { raw, shown: readableWith(raw, running) };
    return last.shown;
  };
}

export function ChatProvider({ children }: { readonly children: ReactNode }) {
  const { settings } = useSettings();
  const { model } = useServer();
  const queries = useQueryClient();
  const [store] = useState(createChatStore);
  const { dispatch } = store;
  const [, setCrash] = useState<never>();
  const running = useMemo(() => (model === null ? null : identityOf(model)), [model]);
  const readable = useMemo(() => readableBy(running), [running]);
  const latest = useRef({ readable, settings });
  const controllers = useRef(new Map<ChatKey, AbortController>());
  const nextKey = useRef(1);

  useEffect(() => {
    latest.current = { readable, settings };
  });
  useEffect(() => {
    const all = controllers.current;
    return () => {
      for (const controller of all.values()) controller.abort();
    };
  }, []);

  const attempt = useCallback(
    async (key: ChatKey, { signal }: AbortController, work: (signal: AbortSignal) => Promise<void>) => {
      try {
        await work(signal);
      } catch (error) {
        if (signal.aborted) return;
        // So that the banner says at once what is away, or which model came back.
        void queries.invalidateQueries({ queryKey: ["health"] });
        try {
          dispatch({ type: "chat", key, action: { type: "failed", error: asApiError(error) } });
        } catch (defect) {
          setCrash(() => {
            throw defect; // in render, where the error boundary sees it
          });
        }
      }
    },
    [queries, dispatch],
  );

  /** Does one thing at a time for a conversation; an earlier one is aborted. */
  const run = useCallback(
    async (key: ChatKey, work: (signal: AbortSignal) => Promise<void>) => {
      controllers.current.get(key)?.abort();
      const controller = new AbortController();
      controllers.current.set(key, controller);
      await attempt(key, controller, work);
      if (controllers.current.get(key) === controller) controllers.current.delete(key);
    },
    [attempt],
  );

  /** Reads what the server holds of a reply that did not come to its own end. */
  const reread = useCallback(
    (key: ChatKey, branchId: string, nShown: number) =>
      run(key, async (signal) => {
        const saved = await readWhenStored(branchId, nShown, signal);
        dispatch({
          type: "chat",
          key,
          action: saved === null ? { type: "lost" } : { type: "reread", saved },
        });
      }),
    [run, dispatch],
  );

  const shownKey = useStore(store, ({ shown }) => shown);
  const opening = useStore(store, (chats) => openingId(shownChat(chats)));
  useEffect(() => {
    if (opening === null) return undefined;
    const controller = new AbortController();
    void attempt(shownKey, controller, async (signal) => {
      await pinsWritten(opening); // so that they are among what is read
      const saved = await openWhenReady(opening, signal);
      dispatch({ type: "chat", key: shownKey, action: { type: "reopened", saved } });
    });
    return () => controller.abort();
  }, [shownKey, opening, attempt, dispatch]);

  // The model that runs has changed under the conversation: its title and notes are read, or its tokens again.
  const heldId = useStore(store, (chats) => readable(chats).heldWith?.id ?? null);
  const opened = useStore(store, (chats) => shownChat(chats).opened);
  const isUnnamed = opened === null;
  const readableId = running !== null && heldId === null && opened?.is_readable === false ? opened.id : null;
  useEffect(() => {
    if (heldId !== null && isUnnamed) void reread(shownKey, heldId, 0);
  }, [isUnnamed, heldId, shownKey, reread]);
  useEffect(() => {
    if (readableId !== null) dispatch({ type: "visited", key: nextKey.current++, id: readableId });
  }, [readableId, dispatch]);

  const actions = useMemo<ChatActions>(() => {
    const newKey = (): ChatKey => nextKey.current++;
    const shown = (): ChatState => latest.current.readable(store.getState());
    const answer = (key: ChatKey, submission: Submission, request: ChatRequest): void => {
      void run(key, async (signal) => {
        let begun: { readonly id: string; nTokens: number; isKept: boolean } | null = null;
        try {
          for await (const event of streamChat(request, signal)) {
            if (signal.aborted) return; // ignore events that were buffered before the abort
            if (event.type === "start")
              begun = {
                id: event.conversation_id,
                nTokens: event.prompt_tokens.length,
                isKept: submission.text !== "",
              };
            if (event.type === "token" && begun !== null) {
              begun.nTokens += 1;
              begun.isKept = true;
            }
            dispatch({ type: "chat", key, action: { type: "received", event, at: performance.now() } });
          }
        } catch (error) {
          if (signal.aborted || !begun?.isKept) throw error;
          dispatch({ type: "chat", key, action: { type: "failed", error: asApiError(error) } });
          void reread(key, begun.id, begun.nTokens);
        }
      });
    };
    const start = (key: ChatKey, submission: Submission, request: ChatRequest): void => {
      dispatch({ type: "chat", key, action: { type: "submitted", submission } });
      answer(key, submission, request);
    };
    const startKept = (chat: ChatState, shipped: OpeningExample, submission: Submission): void => {
      const { key, mode, timeline } = chat;
      const { settings: chosen } = latest.current;
      dispatch({ type: "chat", key, action: { type: "submitted", submission } });
      void run(key, async (signal) => {
        const id = await keepShipped(shipped);
        dispatch({ type: "chat", key, action: { type: "kept", id } });
        if (signal.aborted) return;
        const held = { ...timeline, conversationId: id };
        answer(key, submission, chatRequest(submission, held, mode, chosen));
      });
    };
    const begin = (mode: Mode, submission: Submission, chosen: Settings): void => {
      const key = newKey();
      dispatch({ type: "begun", key, mode });
      start(key, submission, chatRequest(submission, EMPTY_TIMELINE, mode, chosen));
    };
    const submit = (submission: Submission): void => {
      const now = shown();
      const { settings: chosen } = latest.current;
      if (now.pending !== null || openingId(now) !== null) return;
      // What cannot be read gives way to a new conversation.
      if (now.heldWith !== null || now.opening !== null) begin(now.mode, submission, chosen);
      else if (now.shipped !== null && now.timeline.conversationId === null)
        startKept(now, now.shipped, submission);
      else start(now.key, submission, chatRequest(submission, now.timeline, now.mode, chosen));
    };
    return {
      send: (text) => submit({ kind: "message", text, fromIndex: null }),
      begin: (mode, text, changes) =>
        begin(mode, { kind: "message", text, fromIndex: null }, { ...latest.current.settings, ...changes }),
      edit: (fromIndex, text) => submit({ kind: "edit", text, fromIndex }),
      regenerate: (fromIndex) => submit({ kind: "regenerate", text: "", fromIndex }),
      branch: (fromIndex, forced) => submit({ kind: "branch", text: "", fromIndex, forced }),
      steer: (fromIndex, interventions, sampling) =>
        submit({ kind: "regenerate", text: "", fromIndex, interventions, ...sampling }),
      writeOn: (end) => submit({ kind: "continue", text: "", fromIndex: end }),
      retry: submit,
      stop: () => {
        const stopped = shown();
        const { key, timeline } = stopped;
        controllers.current.get(key)?.abort();
        dispatch({ type: "chat", key, action: { type: "stopped" } });
        if (isKept(stopped) && timeline.conversationId !== null)
          void reread(key, timeline.conversationId, timeline.tokens.length);
      },
      dismiss: () => dispatch({ type: "chat", key: shown().key, action: { type: "dismissed" } }),
      startNew: (mode) => dispatch({ type: "begun", key: newKey(), mode }),
      unpack: (shipped) => dispatch({ type: "unpacked", key: newKey(), shipped }),
      keep: () => {
        const { key, shipped, timeline } = shown();
        if (shipped === null || timeline.conversationId !== null || controllers.current.has(key)) return;
        void run(key, async () => {
          const id = await keepShipped(shipped);
          dispatch({ type: "chat", key, action: { type: "kept", id } });
        });
      },
      reopen: (id) => dispatch({ type: "visited", key: newKey(), id }),
      show: (key) => dispatch({ type: "shown", key }),
      forget: (wholeId) => {
        const keys = [...store.getState().all.values()].flatMap((chat) =>
          chat.wholeId === wholeId ? [chat.key] : [],
        );
        for (const key of keys) controllers.current.get(key)?.abort();
        dispatch({ type: "removed", keys, newKey: newKey() });
      },
    };
  }, [run, reread, store, dispatch]);
  const value = useMemo(() => ({ store, readable }), [store, readable]);

  return (
    <ActionsContext value={actions}>
      <ChatsContext value={value}>{children}</ChatsContext>
    </ActionsContext>
  );
}

/** The saved conversation that is being read. */
const openingId = ({ opening, failure }: ChatState): string | null => (failure === null ? opening : null);

function useChatsValue(): ChatsValue {
  const value = use(ChatsContext);
  if (value === null) throw new Error("useChat needs a ChatProvider above it");
  return value;
}

/**
 * What `select` takes of the conversation that is shown. Renders when that is another value: what makes
 * a new object each time has to be wrapped in `useShallow`.
 */
export function useChat<T>(select: (chat: ChatState) => T): T {
  const { store, readable } = useChatsValue();
  return useStore(store, (chats) => select(readable(chats)));
}

/** The same of every conversation on the page, the shown one among them. */
export const useChats = <T,>(select: (chats: Chats) => T): T => useStore(useChatsValue().store, select);

/** Gives the conversation as it is when it is called, for what acts and shows nothing of it. */
export function useChatNow(): () => ChatState {
  const { store, readable } = useChatsValue();
  return useCallback(() => readable(store.getState()), [store, readable]);
}

/** Gives every conversation as it is when it is called. */
export const useChatsNow = (): (() => Chats) => useChatsValue().store.getState;

/** Replies that go on, or have failed, with the conversations that they are of. */
export function useChatMarks(): readonly ChatMark[] {
  const text = useChats((chats) => JSON.stringify(chatMarks(chats)));
  return useMemo(() => JSON.parse(text) as ChatMark[], [text]);
}

export function useChatActions(): ChatActions {
  const actions = use(ActionsContext);
  if (actions === null) throw new Error("useChatActions needs a ChatProvider above it");
  return actions;
}
