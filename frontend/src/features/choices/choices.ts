/**
 * What is chosen inside each view. It is remembered in this browser, except for what is about one
 * conversation, and what the open view has chosen stands in the page's address. An address that was
 * opened counts for as long as the page is open, without becoming this browser's habit.
 */
import { useCallback, useEffect, useMemo } from "react";
import { create } from "zustand";
import { readStored, writeStored } from "@/base/stored";
import {
  type ChoiceSpec,
  type ChoiceTexts,
  NO_CHOICES,
  asChoiceTexts,
  formatChoices,
  lastingTexts,
  parseChoices,
} from "./choiceSpec";

interface Chosen {
  readonly texts: ChoiceTexts;
  /** The conversation that the passing ones are about. */
  readonly conversationId: string | null;
}

const storedAs = (viewId: string): string => `view-${viewId}`;

/** By view; one in which nothing was chosen since the page was opened is not there. */
const useAll = create<Readonly<Record<string, Chosen>>>()(() => ({}));

const readHabits = (viewId: string): ChoiceTexts => readStored(storedAs(viewId), asChoiceTexts, NO_CHOICES);

/** The habits with which each view was first looked at: another tab changes nothing here. */
const habits = new Map<string, Chosen>();

function habitsIn(viewId: string): Chosen {
  const known = habits.get(viewId) ?? { texts: readHabits(viewId), conversationId: null };
  habits.set(viewId, known);
  return known;
}

const put = (viewId: string, chosen: Chosen): void => useAll.setState({ [viewId]: chosen });
const chosenIn = (viewId: string): Chosen => useAll.getState()[viewId] ?? habitsIn(viewId);
const useChosen = (viewId: string): Chosen => useAll((all) => all[viewId] ?? habitsIn(viewId));

const textsFor = <T extends object>(
  spec: ChoiceSpec<T>,
  chosen: Chosen,
  conversationId: string | null,
): ChoiceTexts =>
  chosen.conversationId === conversationId ? chosen.texts : lastingTexts(spec, chosen.texts);

/**
 * The choices of a view, and how one or several of them are changed. `spec` is to be a constant;
 * `conversationId` is needed where it has passing choices.
 */
export function useChoices<T extends object>(
  viewId: string,
  spec: ChoiceSpec<T>,
  conversationId: string | null = null,
): readonly [T, (change: Partial<T>) => void] {
  const chosen = useChosen(viewId);
  const texts = useMemo(() => textsFor(spec, chosen, conversationId), [spec, chosen, conversationId]);
  const values = useMemo(() => parseChoices(spec, texts), [spec, texts]);
  useEffect(() => {
    // So that the address does not go on telling what was chosen in another conversation.
    const isLess = Object.keys(texts).length < Object.keys(chosen.texts).length;
    if (conversationId !== null && isLess) put(viewId, { texts, conversationId });
  }, [viewId, texts, chosen, conversationId]);
  const change = useCallback(
    (part: Partial<T>) => {
      const before = parseChoices(spec, textsFor(spec, chosenIn(viewId), conversationId));
      const changed = formatChoices(spec, { ...before, ...part });
      put(viewId, { texts: changed, conversationId });
      // Merge into the stored value: another tab may have changed it, and links are not remembered.
      const stored = parseChoices(spec, readHabits(viewId));
      writeStored(storedAs(viewId), lastingTexts(spec, formatChoices(spec, { ...stored, ...part })));
    },
    [viewId, spec, conversationId],
  );
  return [values, change];
}

/** What a view has chosen, as the address tells it. */
export const useShownChoices = (viewId: string): ChoiceTexts => useChosen(viewId).texts;

/** Chooses in a view what an address says; what it does not say is as it is by default. */
export const visitChoices = (
  viewId: string,
  texts: ChoiceTexts,
  conversationId: string | null = null,
): void => put(viewId, { texts, conversationId });

/** Forgets what was chosen since the page was opened, as opening it again would. */
export function forgetChoices(): void {
  habits.clear();
  useAll.setState({}, true);
}
