/**
 * The changed prompt of each conversation: the draft, and the text that was read as B. Kept for the
 * life of the tab, so that a reload finds B again; it never stands in the address.
 */
import { useCallback } from "react";
import { create } from "zustand";
import { storedName } from "@/base/stored";
import type { OtherText } from "./otherSide";

export interface PromptText {
  /** Null while nothing was typed: the form then shows the conversation's own message. */
  readonly draft: string | null;
  /** The prompt with the history before it; null until it is compared. */
  readonly asked: OtherText | null;
}

const NO_TEXT: PromptText = { draft: null, asked: null };
const KEPT_CONVERSATIONS = 16;
const NAME = storedName("changed-prompts");

type Texts = ReadonlyMap<string, PromptText>;

/** By conversation, the one that was written last at the end. */
const useTexts = create<{ readonly texts: Texts }>()(() => ({ texts: new Map(read()) }));

const textOf = ({ texts }: { readonly texts: Texts }, conversationId: string): PromptText =>
  texts.get(conversationId) ?? NO_TEXT;

/** Anything but a list of this module's own making is left. */
function read(): [string, PromptText][] {
  try {
    const stored: unknown = JSON.parse(window.sessionStorage.getItem(NAME) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isEntry) : [];
  } catch {
    return []; // blocked, or not ours
  }
}

function isEntry(entry: unknown): entry is [string, PromptText] {
  if (!Array.isArray(entry) || entry.length !== 2) return false;
  const [id, text] = entry as unknown[];
  return (
    typeof id === "string" &&
    typeof text === "object" &&
    text !== null &&
    "draft" in text &&
    (text.draft === null || typeof text.draft === "string") &&
    "asked" in text &&
    typeof text.asked === "object"
  );
}

function put(conversationId: string, text: PromptText): void {
  const texts = new Map(useTexts.getState().texts);
  texts.delete(conversationId);
  texts.set(conversationId, text);
  const oldest = texts.keys().next().value;
  if (texts.size > KEPT_CONVERSATIONS && oldest !== undefined) texts.delete(oldest);
  try {
    window.sessionStorage.setItem(NAME, JSON.stringify([...texts]));
  } catch {
    // Full or blocked: it holds until the page is closed.
  }
  useTexts.setState({ texts });
}

export function usePromptText(
  conversationId: string | null,
): readonly [PromptText, (part: Partial<PromptText>) => void] {
  const key = conversationId ?? "";
  const text = useTexts((state) => textOf(state, key));
  const write = useCallback(
    (part: Partial<PromptText>) => put(key, { ...textOf(useTexts.getState(), key), ...part }),
    [key],
  );
  return [text, write];
}
