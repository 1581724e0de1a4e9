/**
 * The conversation on the page. State and actions are two contexts: the actions never change, so
 * that what only acts is not rendered again for each token.
 */
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
import { openWhenReady } from "@/api/conversations";
import { asApiError } from "@/api/errors";
import { pinsWritten } from "@/api/pinWrites";
import { type ChatRequest, streamChat } from "@/api/stream";
import { chatRequest } from "./chatRequest";
import {
  type ChatState,
  EMPTY_TIMELINE,
  type Mode,
  type Submission,
  chatReducer,
  initialChatState,
} from "./chatState";
import { type Settings, useSettings } from "./settings";

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
  /** Ends the reply; what was written stays. */
  readonly stop: () => void;
  /** Puts a failure away, and with it a reply that was cut off by it. */
  readonly dismiss: () => void;
  readonly startNew: (mode: Mode) => void;
  /** Shows a saved conversation, or another branch of the one that is shown. */
  readonly reopen: (conversationId: string) => void;
}

const StateContext = createContext<ChatState | null>(null);
const ActionsContext = createContext<ChatActions | null>(null);

export function ChatProvider({ children }: { readonly children: ReactNode }) {
  const { settings } = useSettings();
  const [state, dispatch] = useReducer(chatReducer, "chat", initialChatState);
  const [, setCrash] = useState<never>();
  const latest = useRef({ state, settings });
  const running = useRef<AbortController | null>(null);

  useEffect(() => {
    latest.current = { state, settings };
  });
  useEffect(() => () => running.current?.abort(), []);

  /** Runs one request at a time; an earlier one is aborted. */
  const run = useCallback(async (work: (signal: AbortSignal) => Promise<void>) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    try {
      await work(controller.signal);
    } catch (error) {
      if (controller.signal.aborted) return;
      try {
        dispatch({ type: "failed", error: asApiError(error) });
      } catch (defect) {
        setCrash(() => {
          throw defect; // in render, where the error boundary sees it
        });
      }
    }
  }, []);

  const actions = useMemo<ChatActions>(() => {
    const submit = (submission: Submission): void => {
      const { state: now, settings: chosen } = latest.current;
      if (now.pending !== null) return;
      const before = now.failure?.pending?.before ?? now.timeline;
      start(submission, chatRequest(submission, before, now.mode, chosen));
    };
    const start = (submission: Submission, request: ChatRequest): void => {
      dispatch({ type: "submitted", submission });
      void run(async (signal) => {
        for await (const event of streamChat(request, signal)) {
          if (signal.aborted) return; // an event that was read before the abort belongs to no one now
          dispatch({ type: "received", event, at: performance.now() });
        }
      });
    };
    return {
      send: (text) => submit({ kind: "message", text, fromIndex: null }),
      begin: (mode, text, changes) => {
        const submission: Submission = { kind: "message", text, fromIndex: null };
        const settings = { ...latest.current.settings, ...changes };
        dispatch({ type: "cleared", mode });
        start(submission, chatRequest(submission, EMPTY_TIMELINE, mode, settings));
      },
      edit: (fromIndex, text) => submit({ kind: "edit", text, fromIndex }),
      regenerate: (fromIndex) => submit({ kind: "regenerate", text: "", fromIndex }),
      branch: (fromIndex, forced) => submit({ kind: "branch", text: "", fromIndex, forced }),
      writeOn: (end) => submit({ kind: "continue", text: "", fromIndex: end }),
      stop: () => {
        running.current?.abort();
        dispatch({ type: "stopped" });
      },
      dismiss: () => dispatch({ type: "dismissed" }),
      startNew: (mode) => {
        running.current?.abort();
        dispatch({ type: "cleared", mode });
      },
      reopen: (conversationId) => {
        dispatch({ type: "reopening" });
        void run(async (signal) => {
          await pinsWritten(conversationId); // so that they are among what is read
          dispatch({ type: "reopened", saved: await openWhenReady(conversationId, signal) });
        });
      },
    };
  }, [run]);

  return (
    <ActionsContext value={actions}>
      <StateContext value={state}>{children}</StateContext>
    </ActionsContext>
  );
}

export function useChatState(): ChatState {
  const state = use(StateContext);
  if (state === null) throw new Error("useChatState needs a ChatProvider above it");
  return state;
}

export function useChatActions(): ChatActions {
  const actions = use(ActionsContext);
  if (actions === null) throw new Error("useChatActions needs a ChatProvider above it");
  return actions;
}
