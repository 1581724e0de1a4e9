/**
 * Colours that the open view gives the text of the conversation, in place of those of "Colour by". They
 * go with the view.
 */
import { useEffect } from "react";
import { create } from "zustand";
import type { Tint } from "./tint";

export interface ViewTints {
  /** As it is listed under "Colour by". */
  readonly label: string;
  readonly hint: string;
  /** False where the person prefers another colouring. */
  readonly isOn: boolean;
  readonly setOn: (isOn: boolean) => void;
  /** The conversation that the colours belong to. */
  readonly conversationId: string | null;
  /** By index; null while the values are not read. */
  readonly tints: readonly (Tint | null)[] | null;
  readonly legend: Legend;
}

interface Legend {
  /** What the colours mean, in a few words. */
  readonly title: string;
  /** CSS background with the scale, from `low` to `high`. */
  readonly gradient: string;
  readonly low: string;
  readonly high: string;
  /** What the second cue means; null where no token has it. */
  readonly marked: string | null;
}

const useTints = create<{ readonly shown: ViewTints | null }>()(() => ({ shown: null }));

/** Gives the text these colours while the view is mounted. `shown` stays the same object while nothing changes. */
export function useViewTints(shown: ViewTints): void {
  useEffect(() => useTints.setState({ shown }), [shown]);
  useEffect(() => () => useTints.setState({ shown: null }), []);
}

/** The colours of the open view; null where it has none. */
export const useShownViewTints = (): ViewTints | null => useTints(({ shown }) => shown);
