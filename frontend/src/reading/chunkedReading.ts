/** Runs a chunked reader for as long as the view that shows it is mounted. */
import { useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { textKey } from "@/model/textKey";
import type { Token } from "@/model/timeline";
import type { ChunkedReader, ReadProgress } from "./chunkedReader";
import type { Readability } from "./readability";
import type { ReadState, ReadStatus } from "./readState";

export interface ChunkedReading extends ReadState<Exclude<ReadStatus, "none">> {
  /** Changes with what was read. */
  readonly version: number;
  readonly cancel: () => void;
}

const NOT_STARTED: ReadProgress = { error: null, version: 0 };
const subscribeToNothing = () => () => undefined;
const getNotStarted = () => NOT_STARTED;

interface LengthReader {
  readonly read: (length: number, signal: AbortSignal) => Promise<void>;
}

/** Reads a timeline to its end; another function when its ids are others. */
export function useReadToEnd(tokens: readonly Token[], readable: Readability) {
  const text = readable === "ready" ? textKey(tokens, tokens.length) : "0:";
  return useMemo(() => {
    const total = Number.parseInt(text, 10);
    return (reader: LengthReader, signal: AbortSignal): Promise<void> => reader.read(total, signal);
  }, [text]);
}

/**
 * `read` asks for what is missing; it is called again whenever it changes, so it must be stable.
 * `isComplete` is asked after each change of what was read.
 */
export function useChunkedReading<Reader extends ChunkedReader>(
  reader: Reader | null,
  readable: Readability,
  read: (reader: Reader, signal: AbortSignal) => Promise<void>,
  isComplete: (reader: Reader) => boolean,
): ChunkedReading {
  const [attempt, setAttempt] = useState(0);
  /** The reading that was stopped; another one is not. */
  const [stopped, setStopped] = useState<Reader | null>(null);
  const [, setDefect] = useState<never>();
  const progress = useSyncExternalStore(
    reader?.subscribe ?? subscribeToNothing,
    reader?.getProgress ?? getNotStarted,
  );
  const isStopped = reader !== null && stopped === reader;

  useEffect(() => {
    if (reader === null || readable !== "ready" || isStopped) return undefined;
    const controller = new AbortController();
    read(reader, controller.signal).catch((defect: unknown) => {
      if (controller.signal.aborted) return;
      setDefect(() => {
        throw defect; // in render, where the error boundary sees it
      });
    });
    return () => controller.abort();
  }, [reader, readable, read, isStopped, attempt]);

  const isDone = reader !== null && isComplete(reader);
  return {
    version: progress.version,
    status: isDone
      ? "done"
      : readable !== "ready"
        ? readable
        : isStopped
          ? "cancelled"
          : progress.error !== null
            ? "failed"
            : "loading",
    error: isDone || isStopped || readable !== "ready" ? null : progress.error,
    cancel: useCallback(() => setStopped(reader), [reader]),
    retry: useCallback(() => {
      setStopped(null);
      setAttempt((count) => count + 1);
    }, []),
  };
}
