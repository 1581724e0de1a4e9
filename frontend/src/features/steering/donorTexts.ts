/** The message that parts are resampled from, by conversation and by where its reply begins; for the life of the page, and never in the address. */
import { useCallback } from "react";
import { create } from "zustand";

const useTexts = create<Readonly<Record<string, string | null>>>()(() => ({}));

/** Null until one was chosen. */
export function useDonorText(
  conversationId: string | null,
  promptEnd: number,
): readonly [string | null, (text: string | null) => void] {
  const key = `${conversationId ?? ""} ${promptEnd}`;
  const text = useTexts((all) => all[key] ?? null);
  const write = useCallback((next: string | null) => useTexts.setState({ [key]: next }), [key]);
  return [text, write];
}
