/**
 * What is chosen inside each view. It is remembered in this browser, and what the open view has chosen
 * stands in the page's address. An address that was opened counts for as long as the page is open,
 * without becoming this browser's habit.
 */
import { useCallback, useMemo, useSyncExternalStore } from "react";
import {
  type ChoiceSpec,
  type ChoiceTexts,
  NO_CHOICES,
  asChoiceTexts,
  formatChoices,
  parseChoices,
} from "@/lib/choices";
import { readStored, writeStored } from "@/lib/stored";

const storedAs = (viewId: string): string => `view-${viewId}`;

/** By view; one that has not been looked at since the page was opened is not there yet. */
const current = new Map<string, ChoiceTexts>();
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function textsOf(viewId: string): ChoiceTexts {
  let texts = current.get(viewId);
  if (texts === undefined) {
    texts = readStored(storedAs(viewId), asChoiceTexts, NO_CHOICES);
    current.set(viewId, texts);
  }
  return texts;
}

function put(viewId: string, texts: ChoiceTexts): void {
  current.set(viewId, texts);
  for (const listener of listeners) listener();
}

/** The choices of a view, and how one or several of them are changed. `spec` is to be a constant. */
export function useChoices<T extends object>(
  viewId: string,
  spec: ChoiceSpec<T>,
): readonly [T, (change: Partial<T>) => void] {
  const texts = useShownChoices(viewId);
  const values = useMemo(() => parseChoices(spec, texts), [spec, texts]);
  const change = useCallback(
    (part: Partial<T>) => {
      const changed = formatChoices(spec, { ...parseChoices(spec, textsOf(viewId)), ...part });
      put(viewId, changed);
      writeStored(storedAs(viewId), changed);
    },
    [viewId, spec],
  );
  return [values, change];
}

/** What a view has chosen, as the address tells it. */
export const useShownChoices = (viewId: string): ChoiceTexts =>
  useSyncExternalStore(subscribe, () => textsOf(viewId));

/** Chooses in a view what an address says; what it does not say is as it is by default. */
export const visitChoices = (viewId: string, texts: ChoiceTexts): void => put(viewId, texts);

/** Forgets what was chosen since the page was opened, as opening it again would. */
export const forgetChoices = (): void => current.clear();
