/** Which key of the page a press means, on any layout of the keyboard. */
import { isOfInputMethod } from "./composing";

/** Signs that many layouts have only with AltGr or Option, such as the brackets of a German or French one. */
const SIGNS = "[]{}/?";

/** Keys by their place on a keyboard, for layouts that have no Latin letters. */
const LATIN_AT: Readonly<Record<string, string>> = {
  KeyJ: "j",
  KeyK: "k",
  KeyN: "n",
  BracketLeft: "[",
  BracketRight: "]",
};
const SHIFTED: Readonly<Record<string, string>> = { "[": "{", "]": "}" };

const isForeign = (key: string): boolean => key.length === 1 && key > "~";

/** The key that was typed, or null where the press is a command of the browser or of an input method. */
export function typedKey(event: KeyboardEvent): string | null {
  if (isOfInputMethod(event) || event.metaKey) return null;
  const { key, code, altKey, ctrlKey } = event;
  // Windows reports AltGr as Ctrl and Alt, a Mac its Option as Alt alone. Held with a key that has the sign
  // on it, Alt is a command.
  const isAltGraph = event.getModifierState("AltGraph") || (altKey && ctrlKey);
  const isOption = altKey && !ctrlKey && !code.startsWith("Bracket") && code !== "Slash";
  if (SIGNS.includes(key)) return (altKey || ctrlKey) && !isAltGraph && !isOption ? null : key;
  if (altKey || ctrlKey) return null;
  if (!isForeign(key)) return key;
  const latin = LATIN_AT[code];
  return latin === undefined ? key : event.shiftKey ? (SHIFTED[latin] ?? key) : latin;
}

/** Ctrl or ⌘ with K: by the letter, and by its place where the layout has no Latin letters. */
export const isCommandKey = (event: KeyboardEvent): boolean =>
  (event.key.toLowerCase() === "k" || (event.code === "KeyK" && isForeign(event.key))) &&
  (event.ctrlKey || event.metaKey) &&
  !event.altKey &&
  !event.shiftKey &&
  !isOfInputMethod(event);

/** The press belongs to the browser, as Alt+Left, which goes back, or Ctrl+Plus, which zooms. */
export const isBrowserCommand = (event: {
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
}): boolean => event.altKey || event.ctrlKey || event.metaKey;
