/** The list of saved conversations, page by page. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type ApiError, asApiError } from "@/base/errors";
import { type ConversationSummary, PAGE_SIZE, fetchConversations } from "./conversations";
import { LIST_KEY } from "./library";

const PAUSE_MS = 150;
const RUNNING_MS = 2000;

export interface Library {
  readonly conversations: readonly ConversationSummary[];
  readonly total: number;
  readonly status: "loading" | "failed" | "done";
  readonly error: ApiError | null;
  readonly retry: () => void;
  /** Gets more of them; null where all are there. */
  readonly more: (() => void) | null;
}

/** The conversations whose title, text or notes contain `query`, the last written first. */
export function useLibrary(query: string): Library {
  const [settled, setSettled] = useState(query);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(query), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [query]);
  const { data, error, refetch, isFetching, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: [LIST_KEY, settled.trim()],
    queryFn: ({ pageParam, signal }) => fetchConversations(settled.trim(), pageParam, signal),
    initialPageParam: 0,
    getNextPageParam: (last, pages) =>
      pages.length * PAGE_SIZE < last.total ? pages.length * PAGE_SIZE : undefined,
    placeholderData: (before) => before,
    retry: false,
    // Until a reply that another page waits for has ended.
    refetchInterval: ({ state }) =>
      state.data?.pages.some((page) => page.conversations.some((each) => each.is_running)) === true
        ? RUNNING_MS
        : false,
  });
  // A conversation that was written meanwhile may have moved from one page to the next.
  const found = new Map((data?.pages ?? []).flatMap((page) => page.conversations.map((c) => [c.id, c])));
  return {
    conversations: [...found.values()],
    total: data?.pages.at(-1)?.total ?? 0,
    status: error !== null && !isFetching ? "failed" : data === undefined ? "loading" : "done",
    error: error === null || isFetching ? null : asApiError(error),
    retry: () => void refetch(),
    more: hasNextPage ? () => void fetchNextPage() : null,
  };
}
