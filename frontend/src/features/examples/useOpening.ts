/** What a first visit opens with: the shipped example, already answered. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import { ApiError, isAway } from "@/base/errors";
import { readStored, writeStored } from "@/base/stored";
import { useChat, useChatActions } from "@/features/chat/chat";
import type { ViewDefinition } from "@/features/evidence/view";
import { COMPOSER_ID } from "@/features/layout/evidenceSheet";
import { fetchConversations } from "@/features/library/conversations";
import { useSelection } from "@/features/selection/selection";
import type { ServerState } from "@/features/server/server";
import { decisionLayer } from "@/model/decision";
import { useIsNarrow } from "@/ui/media";
import { fetchOpening } from "./requests";

/** Of the conversation that a page begins with. */
const FIRST_KEY = 0;
const STORED_AS = "opening";
const RETRY_MS = 700;
const whileAway = (_: number, cause: unknown): boolean => cause instanceof ApiError && isAway(cause);
const isOver = (): boolean =>
  readStored(STORED_AS, (stored) => (stored === "over" ? true : undefined), false);

const hasDraft = (): boolean => {
  const composer = document.getElementById(COMPOSER_ID);
  return composer instanceof HTMLTextAreaElement && composer.value !== "";
};

/** From now on this browser opens with an empty conversation. */
export const endOpenings = (): void => writeStored(STORED_AS, "over");

/** Where the example draws its lines. */
const DRAWN_VIEW = "trajectories";

export interface FirstVisit {
  /** Not known yet whether the example is shown. */
  readonly isAwaited: boolean;
  /** The lines are drawn for the first time. */
  readonly isDrawing: boolean;
  readonly endDrawing: () => void;
}

/**
 * Shows the shipped example on a first visit: nothing in the address, nothing saved, nothing typed.
 * It is saved where `needsSaving`.
 */
export function useFirstVisit(
  { health, phase, model }: ServerState,
  needsSaving: boolean,
  views: readonly ViewDefinition[],
  onSuggestView: (viewId: string) => void,
): FirstVisit {
  const isUntouched = useChat(
    ({ key, timeline, failure }) => key === FIRST_KEY && timeline.status === "empty" && failure === null,
  );
  const isShipped = useChat(({ timeline }) => timeline.shipped === "readable");
  const { unpack, keep } = useChatActions();
  const { select } = useSelection();
  const isNarrow = useIsNarrow();
  const [isFirst] = useState(() => !isOver() && window.location.search === "");
  const [isDrawing, setDrawing] = useState(isFirst);
  const isAsked = isFirst && isUntouched && phase !== "failed" && phase !== "refused";
  // Everything is asked for at once, also before the server's state is known.
  const ask = { enabled: isAsked, retry: whileAway, retryDelay: RETRY_MS, staleTime: Infinity };
  const saved = useQuery({
    queryKey: ["has saved conversations"],
    queryFn: async ({ signal }) => (await fetchConversations("", 0, signal)).total > 0,
    ...ask,
  });
  const first = useQuery({ queryKey: ["opening"], queryFn: ({ signal }) => fetchOpening(signal), ...ask });
  // Until the server knows its model's revision it has none to give.
  const isKnownLater = isAsked && saved.data === false && health !== null && (first.data ?? null) === null;
  const later = useQuery({
    queryKey: ["opening", health?.model, health?.revision],
    queryFn: ({ signal }) => fetchOpening(signal),
    ...ask,
    enabled: isKnownLater && first.isFetched,
  });
  const shipped = first.data ?? later.data ?? null;
  const isAwaited =
    isAsked &&
    phase !== "lost" &&
    !saved.isError &&
    saved.data !== true &&
    !(later.isFetched && shipped === null);

  useEffect(() => {
    if (!isFirst) return;
    void import("./ExampleGuide");
    views.find(({ id }) => id === DRAWN_VIEW)?.preload();
  }, [isFirst, views]);

  // Shown with the other questions, which come with the model; while that loads, without them.
  const isServed = model !== null || phase === "loading";
  useEffect(() => {
    if (!isAsked || !isServed || saved.data !== false || shipped === null || hasDraft()) return;
    unpack(shipped);
    // On a narrow screen the evidence would cover the text.
    if (isNarrow) return;
    onSuggestView(DRAWN_VIEW);
    const { tokens, example } = shipped;
    const token = tokens.find(({ role, text }) => role === "assistant" && text === example.watch);
    if (token !== undefined)
      select(token.index, decisionLayer(token.lens?.map(({ actual }) => actual.rank) ?? []));
  }, [isAsked, isServed, saved.data, shipped, unpack, onSuggestView, select, isNarrow]);

  useEffect(() => {
    if (isShipped && needsSaving) keep();
  }, [isShipped, needsSaving, keep]);
  return { isAwaited, isDrawing, endDrawing: useCallback(() => setDrawing(false), []) };
}
