/** The two texts of a contrast, by conversation; for the life of the page, and never in the address. */
import { useCallback } from "react";
import { create } from "zustand";

export interface ContrastTexts {
  readonly plus: string;
  readonly minus: string;
}

const NO_TEXTS: ContrastTexts = { plus: "", minus: "" };

const useTexts = create<Readonly<Record<string, ContrastTexts>>>()(() => ({}));

export function useContrastTexts(
  conversationId: string | null,
): readonly [ContrastTexts, (texts: ContrastTexts) => void] {
  const key = conversationId ?? "";
  const texts = useTexts((all) => all[key] ?? NO_TEXTS);
  const write = useCallback((next: ContrastTexts) => useTexts.setState({ [key]: next }), [key]);
  return [texts, write];
}
