/** One request of the read-outs of a timeline; `chunkedReading.ts` is for what takes many. */
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { ApiError, asApiError } from "@/base/errors";
import type { Readability } from "./readability";
import type { ReadState } from "./readState";

/** What passes when it is asked for again. */
const BUSY = "queue_full";
const ATTEMPTS = 5;
const PAUSE_MS = 500;
const KEPT_MS = 10 * 60_000;

export interface ReadingRequest<Answer, Data> {
  /** Names what is read: the model, the text and the place among it. */
  readonly key: readonly unknown[];
  readonly readable: Readability;
  /** There is something to ask for. */
  readonly isAsked: boolean;
  readonly ask: (signal: AbortSignal) => Promise<Answer>;
  /** Makes what is shown of the answer; a function that stays the same while nothing else goes into it. */
  readonly merge: (answer: Answer) => Data;
  /** Codes of further transient failures: they are retried before they are reported. */
  readonly passing?: readonly string[];
}

export interface SingleReading<Data> extends ReadState<Exclude<ReadState["status"], "cancelled">> {
  /** Null until it is read. */
  readonly data: Data | null;
}

/** The request as the query library takes it. */
export const queryOf = <Answer, Data>(request: ReadingRequest<Answer, Data>) => ({
  queryKey: request.key,
  queryFn: ({ signal }: { readonly signal: AbortSignal }) => request.ask(signal),
  enabled: request.readable === "ready" && request.isAsked,
  // What is before a token never changes, and nothing else goes into what is read there.
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: KEPT_MS,
  retry: (attempts: number, cause: Error) =>
    cause instanceof ApiError &&
    [BUSY, ...(request.passing ?? [])].includes(cause.code) &&
    attempts < ATTEMPTS,
  retryDelay: (_: number, cause: Error) => (cause instanceof ApiError && cause.retryAfterMs) || PAUSE_MS,
});

type Found<Answer> = Pick<UseQueryResult<Answer>, "data" | "error" | "isFetching" | "refetch">;

export function stateOf<Answer>(
  { readable, isAsked }: Pick<ReadingRequest<Answer, unknown>, "readable" | "isAsked">,
  { data, error, isFetching, refetch }: Found<Answer>,
): ReadState<Exclude<ReadState["status"], "cancelled">> {
  const isFailed = error !== null && !isFetching;
  return {
    status:
      data !== undefined
        ? "done"
        : !isAsked
          ? "none"
          : isFailed
            ? "failed"
            : readable === "ready"
              ? "loading"
              : readable,
    error: isFailed ? asApiError(error) : null,
    retry: () => void refetch(),
  };
}

export function useReading<Answer, Data>(request: ReadingRequest<Answer, Data>): SingleReading<Data> {
  const { merge } = request;
  const found = useQuery(queryOf(request));
  const answer = found.data;
  const data = useMemo(() => (answer === undefined ? null : merge(answer)), [answer, merge]);
  return { data, ...stateOf(request, found) };
}
