/** The list of saved conversations, and what can be done with them besides continuing them. */
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import { useShallow } from "zustand/react/shallow";
import { ApiError } from "@/base/errors";
import { useChat, useChats } from "@/features/chat/chat";
import type { Chats } from "@/features/chat/chats";
import type { ChatState } from "@/features/chat/chatState";
import type { ServerState } from "@/features/server/server";
import { identityOf, isSameModel } from "@/model/identity";
import type { Timeline } from "@/model/timeline";
import type { ModelInfo } from "@/types/schemas";
import { type ConversationSummary, type SavedConversation, fetchConversation } from "./conversations";

export const LIST_KEY = "conversations";
const FACTS_KEY = "conversation";
/** After a reply was stopped: the server notices the closed connection a moment later. */
const STOPPED_MS = 400;

/** Whether a conversation's ids mean to this model what they meant to the one it was held with. */
export const isReadableWith = (model: ModelInfo, needed: ConversationSummary["model"]): boolean =>
  isSameModel(needed, identityOf(model));

/** Title, branches, pins and notes of the conversation that is shown; null until they are there. */
export const useConversationFacts = (): SavedConversation | null =>
  useBranchFacts(useChat(useShallow(savedBranch)));

interface SavedBranch {
  readonly id: string | null;
  /** Null while a reply is written, and nothing of it is saved yet. */
  readonly nTokens: number | null;
}

function savedBranch({ timeline, pending }: ChatState): SavedBranch {
  // A branch that is being written is not saved yet, but belongs to the conversation that it leaves.
  const isContinued = pending !== null && pending.before.conversationId !== null;
  const { conversationId, status, tokens } = isContinued ? pending.before : timeline;
  return { id: conversationId, nTokens: status === "settled" ? tokens.length : null };
}

/** Of the conversation that a branch belongs to; null until they are there. */
export function useBranchFacts({ id: conversationId, nTokens }: SavedBranch): SavedConversation | null {
  const { data } = useQuery({
    queryKey: [FACTS_KEY, conversationId, nTokens],
    queryFn: ({ signal }) => fetchConversation(conversationId ?? "", false, signal),
    enabled: conversationId !== null && nTokens !== null,
    // What another tab has changed meanwhile is seen before it is written over.
    refetchOnWindowFocus: true,
    // Until it is read again, what was known before stays in view.
    placeholderData: (before) => before,
    // After Stop: the server saves what was written when it notices that the connection is closed.
    retry: (attempts, cause) =>
      cause instanceof ApiError && cause.code === "conversation_not_found" && attempts < 3,
    retryDelay: STOPPED_MS,
  });
  return data?.branches.some((branch) => branch.id === conversationId) === true ? data : null;
}

/** The facts of a branch as they were read last; null where they were not. */
export function knownFacts(queries: QueryClient, branchId: string | null): SavedConversation | null {
  const read = queries
    .getQueryCache()
    .findAll({ queryKey: [FACTS_KEY, branchId] })
    .map(({ state }) => ({ at: state.dataUpdatedAt, facts: state.data as SavedConversation | undefined }))
    .toSorted((a, b) => b.at - a.at);
  return read[0]?.facts ?? null;
}

/** Puts saved notes where the facts of a branch are kept. An answer on its way may hold those from before. */
export async function rememberNotes(
  queries: QueryClient,
  branchId: string,
  notes: readonly SavedConversation["notes"][number][],
): Promise<void> {
  const queryKey = [FACTS_KEY, branchId];
  await queries.cancelQueries({ queryKey });
  queries.setQueriesData<SavedConversation>(
    { queryKey },
    (known) => known && { ...known, notes: [...notes] },
  );
  void queries.invalidateQueries({ queryKey });
}

/** Reads the list again, and the facts of the conversation that is shown unless it is gone. */
export function useLibraryRefresh(): (shown?: "gone") => Promise<void> {
  const queries = useQueryClient();
  return useCallback(
    async (shown) => {
      await Promise.all([
        queries.invalidateQueries({ queryKey: [LIST_KEY] }),
        shown === "gone" ? undefined : queries.invalidateQueries({ queryKey: [FACTS_KEY] }),
      ]);
    },
    [queries],
  );
}

/** Keeps the list in step with what is written on this page, shown or not. */
export function useLibraryFollowing(): void {
  const refresh = useLibraryRefresh();
  const places = useChats(listedPlaces);
  const isStopped = useChats((chats) =>
    listedTimelines(chats).some(({ turns }) => turns.at(-1)?.finish === "cancelled"),
  );
  useEffect(() => {
    if (places === "") return undefined;
    const timer = setTimeout(() => void refresh(), isStopped ? STOPPED_MS : 0);
    return () => clearTimeout(timer);
  }, [places, isStopped, refresh]);
}

const listedTimelines = ({ all }: Chats): readonly Timeline[] =>
  [...all.values()].flatMap(({ timeline }) =>
    timeline.conversationId === null || timeline.status === "waiting" ? [] : [timeline],
  );

/** Changes with what the list says of the conversations on this page. */
const listedPlaces = (chats: Chats): string =>
  listedTimelines(chats)
    .map(({ conversationId, status, tokens }) =>
      [conversationId, status, status === "settled" ? tokens.length : ""].join(" "),
    )
    .join();

/** Reads the list again when a server answers that was away, or another one in its place. */
export function useLibraryReturn({ phase, health }: Pick<ServerState, "phase" | "health">): void {
  const refresh = useLibraryRefresh();
  const instance = health?.instance ?? null;
  const isAway = phase === "lost";
  const answered = useRef<string | null>(null);
  useEffect(() => {
    if (instance === null || isAway) {
      answered.current = isAway ? "" : null;
      return;
    }
    if (answered.current !== null && answered.current !== instance) void refresh();
    answered.current = instance;
  }, [instance, isAway, refresh]);
}
