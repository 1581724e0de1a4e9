/**
 * What the open view offers to the rest of the page: itself, to be taken away, and commands of its
 * own for the palette. A view says it in one call; who wants it looks when it is wanted.
 */
import { useEffect, useSyncExternalStore } from "react";
import type { Exhibit } from "./exhibit";

export interface Command {
  /** What it does, as it is listed: `Colour by entropy`. */
  readonly label: string;
  readonly run: () => void;
}

export interface ViewOffer {
  /** Makes the exhibit of what is on the screen now, or says why there is none yet. */
  readonly exhibit: (() => Promise<Exhibit>) | string;
  readonly commands: readonly Command[];
}

const NOTHING: ViewOffer = { exhibit: "There is nothing to export yet.", commands: [] };

let current = NOTHING;
const listeners = new Set<() => void>();

function put(offer: ViewOffer): void {
  current = offer;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** One view is mounted at a time; its latest render counts. */
export function useOffer(exhibit: ViewOffer["exhibit"], commands: readonly Command[] = []): void {
  useEffect(() => put({ exhibit, commands }));
  useEffect(() => () => put(NOTHING), []);
}

/** What the open view offers now. */
export const useCurrentOffer = (): ViewOffer => useSyncExternalStore(subscribe, () => current);
