/** What a first visit opens with: the shipped example, already answered. */
import { useQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import { readStored, writeStored } from "@/base/stored";
import { useChat, useChatActions } from "@/features/chat/chat";
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
  /** The lines are drawn for the first time. */
  readonly isDrawing: boolean;
  readonly endDrawing: () => void;
}

/**
 * Shows the shipped example on a first visit: nothing in the address, nothing saved, nothing typed.
 * It is saved where `needsSaving`.
 */
export function useFirstVisit(
  { health, phase }: ServerState,
  needsSaving: boolean,
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
  const isAsked = isFirst && isUntouched && health !== null && phase !== "failed";
  const saved = useQuery({
    queryKey: ["has saved conversations"],
    queryFn: async ({ signal }) => (await fetchConversations("", 0, signal)).total > 0,
    enabled: isAsked,
    retry: false,
    staleTime: Infinity,
  });
  const { data: shipped = null } = useQuery({
    queryKey: ["opening", health?.model, health?.revision],
    queryFn: ({ signal }) => fetchOpening(signal),
    enabled: isAsked && saved.data === false,
    retry: false,
    staleTime: Infinity,
  });

  useEffect(() => {
    if (!isAsked || saved.data !== false || shipped === null || hasDraft()) return;
    unpack(shipped);
    // On a narrow screen the evidence would cover the text.
    if (isNarrow) return;
    onSuggestView(DRAWN_VIEW);
    const { tokens, example } = shipped;
    const token = tokens.find(({ role, text }) => role === "assistant" && text === example.watch);
    if (token !== undefined)
      select(token.index, decisionLayer(token.lens?.map(({ actual }) => actual.rank) ?? []));
  }, [isAsked, saved.data, shipped, unpack, onSuggestView, select, isNarrow]);

  useEffect(() => {
    if (isShipped && needsSaving) keep();
  }, [isShipped, needsSaving, keep]);
  return { isDrawing, endDrawing: useCallback(() => setDrawing(false), []) };
}
