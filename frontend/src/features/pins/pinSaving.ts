/**
 * Pins are kept with the conversation: what is pinned or let go is saved a moment later, and at once
 * when another conversation is shown or the page is left.
 */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef } from "react";
import { useChat, useChatMarks, useChatNow, useChatsNow } from "@/features/chat/chat";
import { shownId } from "@/features/chat/chatState";
import { knownFacts } from "@/features/library/library";
import { type Attempts, useAttempts } from "@/ui/attempt";
import { idsBefore } from "./pins";
import { usePinKeeping } from "./pinsContext";
import type { UnsavedPins } from "./pinsState";
import { isGone, writePins, writePinsLeaving } from "./pinWrites";

const PAUSE_MS = 600;

interface PinSaving extends Attempts {
  /** Saves now what is still to be saved. */
  readonly flush: () => void;
}

/** Tells when they could not be saved; they stay on the page, and are tried again with the next change. */
export function usePinSaving(): PinSaving {
  const chatNow = useChatNow();
  const chatsNow = useChatsNow();
  const marks = useChatMarks();
  const { unsaved, markSaved, forget } = usePinKeeping();
  const attempts = useAttempts();
  const { attempt } = attempts;
  const id = useChat(shownId);
  // While a reply is written, its conversation may not be stored yet.
  const isSettled = useChat(({ timeline }) => timeline.status === "settled");
  const queries = useQueryClient();
  /**
   * How many tokens the server holds for sure: none yet of a reply that is being written, and of one
   * that was stopped what it has told, since it stores it when it notices.
   */
  const nHeld = (branchId: string): number => {
    const writing = [...chatsNow().all.values()].find(
      (each) => each.pending !== null && shownId(each) === branchId,
    );
    if (writing?.pending) return writing.pending.before.tokens.length;
    const ending = chatNow().timeline.turns.at(-1)?.finish;
    if (branchId !== id || (ending !== "cancelled" && ending !== "interrupted")) return Infinity;
    return knownFacts(queries, branchId)?.branches.find((branch) => branch.id === branchId)?.n_tokens ?? 0;
  };
  const latest = useRef({ unsaved, id, isSettled, nHeld });
  /** By conversation, what is on its way. */
  const sent = useRef(new Map<string, string>());
  useEffect(() => {
    latest.current = { unsaved, id, isSettled, nHeld };
  });

  const save = useCallback(
    (write: UnsavedPins, isLeaving: boolean): void => {
      const { id: ownId, pins } = write;
      const text = JSON.stringify(pins);
      if (!isLeaving && sent.current.get(ownId) === text) return;
      sent.current.set(ownId, text);
      attempt("The pins are not saved.", async () => {
        try {
          markSaved(ownId, await (isLeaving ? writePinsLeaving : writePins)(ownId, write));
        } catch (error) {
          // Deleted, or stopped before there was anything to keep.
          if (isGone(error) && ownId !== latest.current.id) forget(ownId);
          else throw error;
        } finally {
          if (sent.current.get(ownId) === text) sent.current.delete(ownId);
        }
      });
    },
    [attempt, markSaved, forget],
  );
  const flush = useCallback(
    (isLeaving = false): void => {
      const now = latest.current;
      for (const each of now.unsaved) {
        if (isLeaving) save({ ...each, pins: idsBefore(each.pins, now.nHeld(each.id)) }, true);
        else if (each.id !== now.id || now.isSettled) save(each, false);
      }
    },
    [save],
  );

  const shown = unsaved.find((each) => each.id === id);
  const due = shown === undefined ? null : JSON.stringify(shown.pins);
  useEffect(() => {
    if (due === null || !isSettled) return undefined;
    const timer = setTimeout(flush, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [id, due, isSettled, flush]);
  useEffect(() => {
    flush(); // what was pinned in the conversation before
  }, [id, flush]);
  useEffect(() => {
    // What was pinned in a reply that has ended while another conversation is shown.
    if (latest.current.unsaved.some((each) => each.id !== latest.current.id)) flush();
  }, [marks, flush]);
  useEffect(() => {
    const onLeave = (): void => flush(true);
    window.addEventListener("pagehide", onLeave);
    return () => window.removeEventListener("pagehide", onLeave);
  }, [flush]);
  return { ...attempts, flush };
}
