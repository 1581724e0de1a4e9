/**
 * Pins are kept with the conversation. Opening one brings its pins back, unless the address names
 * others; what is pinned or let go afterwards is saved a moment later. What another page has pinned
 * meanwhile is kept beside it.
 */
import { useEffect, useMemo, useRef } from "react";
import { changeAnnotations } from "@/api/annotations";
import type { SavedConversation } from "@/api/conversations";
import { type KeptPins, type PinState, idsOf, pinsOfBoth, pinsToKeep, positionsIn } from "@/lib/pins";
import type { Timeline } from "@/types/timeline";
import { type Attempts, useAttempts } from "./attempt";
import { usePins } from "./pins";

const PAUSE_MS = 600;

/** Tells when they could not be saved; they stay on the page and in its address. */
export function usePinSaving(
  { conversationId, status }: Timeline,
  opened: SavedConversation | null,
): Attempts {
  const { state, restore } = usePins();
  const attempts = useAttempts();
  const { attempt } = attempts;
  const pinned = useMemo(() => pinnedIn(state, conversationId), [state, conversationId]);
  /** What the server holds, or what was there when the conversation began to be shown. */
  const known = useRef<{ readonly id: string; readonly pins: string } | null>(null);
  /** All that this page has shown of the conversation: what it no longer shows was let go here. */
  const shown = useRef<{ readonly id: string; readonly pins: KeptPins } | null>(null);
  const latest = useRef(state);
  useEffect(() => {
    latest.current = state;
  });

  useEffect(() => {
    if (!opened?.is_readable) return;
    const { token_ids = [], positions = [] } = opened.pins;
    const there = latest.current;
    const isFromAddress =
      there.conversationId === opened.id && (there.pins.length > 0 || there.positions.length > 0);
    if (token_ids.length + positions.length > 0 && !isFromAddress) {
      known.current = { id: opened.id, pins: JSON.stringify({ token_ids, positions }) };
      restore(opened.id, token_ids, positions);
    } else known.current = { id: opened.id, pins: JSON.stringify(pinnedIn(there, opened.id)) };
  }, [opened, restore]);

  useEffect(() => {
    if (conversationId === null || status !== "settled") return undefined;
    const now = JSON.stringify(pinned);
    const before = shown.current?.id === conversationId ? shown.current.pins : null;
    const seen = before === null ? pinned : pinsOfBoth(before, pinned);
    shown.current = { id: conversationId, pins: seen };
    if (known.current?.id !== conversationId) known.current = { id: conversationId, pins: now };
    if (known.current.pins === now) return undefined;
    const timer = setTimeout(() => {
      known.current = { id: conversationId, pins: now };
      attempt("The pins are not saved.", async () => {
        await changeAnnotations(conversationId, (held) => ({
          changes: { pins: pinsToKeep(pinned, held.pins, seen) },
        }));
      });
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [conversationId, status, pinned, attempt]);
  return attempts;
}

const pinnedIn = (state: PinState, conversationId: string | null): KeptPins => ({
  token_ids: state.pins.map(idsOf),
  positions: positionsIn(state, conversationId).map((each) => each.position),
});
