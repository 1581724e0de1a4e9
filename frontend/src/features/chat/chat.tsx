/**
 * The conversations on the page. State and actions are contexts of their own: the actions never
 * change, so that what only acts is not rendered again for each token.
 */
import { useQueryClient } from "@tanstack/react-query";
import {
  type ReactNode,
  createContext,
  use,
  useCallback,
  useEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from "react";
import { asApiError } from "@/base/errors";
import { openWhenReady, readWhenStored } from "@/features/library/conversations";
import { pinsWritten } from "@/features/pins/pinWrites";
import { useServer } from "@/features/server/server";
import { type Settings, useSettings } from "@/features/settings/settings";
import { identityOf } from "@/model/identity";
import { chatRequest } from "./chatRequest";
import {
  type ChatMark,
  type Chats,
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
  /** Lets the model write on from the end of the timeline. */
  readonly writeOn: (end: number) => void;
  /** Does again what failed before anything came of it. */
  readonly retry: (submission: Submission) => void;
  /** Ends the reply of the conversation that is shown; what was written stays. */
  readonly stop: () => void;
  /** Puts a failure away. */
  readonly dismiss: () => void;
  readonly startNew: (mode: Mode) => void;
  /** Shows a saved conversation, or another branch of the one that is shown. */
  readonly reopen: (branchId: string) => void;
  /** Shows a conversation whose reply goes on, or has failed, on this page. */
  readonly show: (key: ChatKey) => void;
  /** A conversation was deleted: its replies end, and where it is shown, a new one takes its place. */
  readonly forget: (wholeId: string) => void;
}

const ChatsContext = createContext<Chats | null>(null);
const StateContext = createContext<ChatState | null>(null);
const MarksContext = createContext<readonly ChatMark[]>([]);
const ActionsContext = createContext<ChatActions | null>(null);

export function ChatProvider({ children }: { readonly children: ReactNode }) {
  const { settings } = useSettings();
  const { model } = useServer();
  const queries = useQueryClient();
  const [chats, dispatch] = useReducer(chatsReducer, "chat", initialChats);
  const [, setCrash] = useState<never>();
  const running = useMemo(() => (model === null ? null : identityOf(model)), [model]);
  const raw = shownChat(chats);
  const state = useMemo(() => readableWith(raw, running), [raw, running]);
  const marks = useSteadyMarks(chats);
  const latest = useRef({ chats, state, settings });
  const controllers = useRef(new Map<ChatKey, AbortController>());
  const nextKey = useRef(1);

  useEffect(() => {
    latest.current = { chats, state, settings };
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
    [queries],
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
    [run],
  );

  const { key: shownKey, opening } = raw;
  const isOpening = opening !== null && raw.failure === null;
  useEffect(() => {
    if (!isOpening) return undefined;
    const controller = new AbortController();
    void attempt(shownKey, controller, async (signal) => {
      await pinsWritten(opening); // so that they are among what is read
      const saved = await openWhenReady(opening, signal);
      dispatch({ type: "chat", key: shownKey, action: { type: "reopened", saved } });
    });
    return () => controller.abort();
  }, [shownKey, opening, isOpening, attempt]);

  // The model that runs has changed under the conversation: its title and notes are read, or its tokens again.
  const heldId = state.heldWith?.id ?? null;
  const isUnnamed = heldId !== null && raw.opened === null;
  const readableId =
    running !== null && heldId === null && raw.opened?.is_readable === false ? raw.opened.id : null;
  useEffect(() => {
    if (isUnnamed) void reread(shownKey, heldId, 0);
  }, [isUnnamed, heldId, shownKey, reread]);
  useEffect(() => {
    if (readableId !== null) dispatch({ type: "visited", key: nextKey.current++, id: readableId });
  }, [readableId]);

  const actions = useMemo<ChatActions>(() => {
    const newKey = (): ChatKey => nextKey.current++;
    const start = (key: ChatKey, submission: Submission, request: ChatRequest): void => {
      dispatch({ type: "chat", key, action: { type: "submitted", submission } });
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
    const begin = (mode: Mode, submission: Submission, chosen: Settings): void => {
      const key = newKey();
      dispatch({ type: "begun", key, mode });
      start(key, submission, chatRequest(submission, EMPTY_TIMELINE, mode, chosen));
    };
    const submit = (submission: Submission): void => {
      const { state: now, settings: chosen } = latest.current;
      if (now.pending !== null || (now.opening !== null && now.failure === null)) return;
      // What cannot be read gives way to a new conversation.
      if (now.heldWith !== null || now.opening !== null) begin(now.mode, submission, chosen);
      else start(now.key, submission, chatRequest(submission, now.timeline, now.mode, chosen));
    };
    return {
      send: (text) => submit({ kind: "message", text, fromIndex: null }),
      begin: (mode, text, changes) =>
        begin(mode, { kind: "message", text, fromIndex: null }, { ...latest.current.settings, ...changes }),
      edit: (fromIndex, text) => submit({ kind: "edit", text, fromIndex }),
      regenerate: (fromIndex) => submit({ kind: "regenerate", text: "", fromIndex }),
      branch: (fromIndex, forced) => submit({ kind: "branch", text: "", fromIndex, forced }),
      writeOn: (end) => submit({ kind: "continue", text: "", fromIndex: end }),
      retry: submit,
      stop: () => {
        const { key, timeline } = latest.current.state;
        controllers.current.get(key)?.abort();
        dispatch({ type: "chat", key, action: { type: "stopped" } });
        if (isKept(latest.current.state) && timeline.conversationId !== null)
          void reread(key, timeline.conversationId, timeline.tokens.length);
      },
      dismiss: () => dispatch({ type: "chat", key: latest.current.state.key, action: { type: "dismissed" } }),
      startNew: (mode) => dispatch({ type: "begun", key: newKey(), mode }),
      reopen: (id) => dispatch({ type: "visited", key: newKey(), id }),
      show: (key) => dispatch({ type: "shown", key }),
      forget: (wholeId) => {
        const keys = [...latest.current.chats.all.values()].flatMap((chat) =>
          chat.wholeId === wholeId ? [chat.key] : [],
        );
        for (const key of keys) controllers.current.get(key)?.abort();
        dispatch({ type: "removed", keys, newKey: newKey() });
      },
    };
  }, [run, reread]);

  return (
    <ActionsContext value={actions}>
      <ChatsContext value={chats}>
        <MarksContext value={marks}>
          <StateContext value={state}>{children}</StateContext>
        </MarksContext>
      </ChatsContext>
    </ActionsContext>
  );
}

/** The same marks until one of them changes: the conversations change with every token. */
function useSteadyMarks(chats: Chats): readonly ChatMark[] {
  const text = JSON.stringify(chatMarks(chats));
  return useMemo(() => JSON.parse(text) as ChatMark[], [text]);
}

export function useChatState(): ChatState {
  const state = use(StateContext);
  if (state === null) throw new Error("useChatState needs a ChatProvider above it");
  return state;
}

/** Every conversation on the page, the shown one among them. */
export function useChats(): Chats {
  const chats = use(ChatsContext);
  if (chats === null) throw new Error("useChats needs a ChatProvider above it");
  return chats;
}

/** Replies that go on, or have failed, with the conversations that they are of. */
export const useChatMarks = (): readonly ChatMark[] => use(MarksContext);

export function useChatActions(): ChatActions {
  const actions = use(ActionsContext);
  if (actions === null) throw new Error("useChatActions needs a ChatProvider above it");
  return actions;
}
